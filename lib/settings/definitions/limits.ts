/** What sessions may cost. */

import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";

/** RFC 1939, section 3: an autologout timer must be of at least 10 minutes. */
const LEAST_TIMEOUT = 600;
const LARGEST_COUNT = 2_147_483_647;

export const limits = {
  maxConnections: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 1000,
    live: true,
    help: "POP3 connections at once; more of them wait to be accepted",
  },
  maxConnectionsPerIp: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT, zero: "no limit" }),
    default: 0,
    live: true,
    help: "POP3 connections at once from an address",
  },
  maxSessionsPerUser: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 1,
    live: true,
    help: "sessions of a user at once",
  },
  maxBadCommands: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 8,
    live: true,
    help: "bad commands in a row that end a session",
  },
  timeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "never" }),
    default: LEAST_TIMEOUT,
    live: true,
    help: "until an idle session is closed",
    warn: (value) =>
      value > 0 && value < LEAST_TIMEOUT
        ? `is under ${LEAST_TIMEOUT} seconds, the least that RFC 1939 (section 3) allows`
        : undefined,
  },
  loginTimeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds" }),
    default: 60,
    live: true,
    help: "until a connection without a login is closed",
  },
} as const satisfies Partial<Definitions>;
