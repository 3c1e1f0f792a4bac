/** What sessions may cost. */

import { connectionsPerAddress } from "../connections_per_address.ts";
import type { Definitions } from "../definition.ts";
import { wholeNumber } from "../types/numbers.ts";
import { optional } from "../types/value_type.ts";

/** RFC 1939, section 3: an autologout timer must be of at least 10 minutes. */
const LEAST_TIMEOUT = 600;
const LARGEST_COUNT = 2_147_483_647;

export const limits = {
  maxConnections: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 1000,
    takesEffect: "now",
    session: true,
    help:
      "maximum simultaneous POP3 connections; beyond it, the oldest that has not logged in for 3 seconds is closed, " +
      "and if all have logged in, further clients wait in the listen backlog",
  },
  maxConnectionsPerIp: {
    type: optional(wholeNumber({ min: 1, max: LARGEST_COUNT, zero: "no limit" })),
    default: undefined,
    defaultText: "a quarter of `max_connections`, loopback excepted",
    effective: (settings) => connectionsPerAddress(settings).most,
    takesEffect: "now",
    session: true,
    help:
      "maximum simultaneous POP3 connections per client address (IPv6: per /64); applies to loopback only if set",
  },
  maxSessionsPerUser: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 1,
    takesEffect: "now",
    help: "maximum simultaneous sessions per user",
  },
  maxBadCommands: {
    type: wholeNumber({ min: 1, max: LARGEST_COUNT }),
    default: 8,
    takesEffect: "next session",
    session: true,
    help: "close a session after this many consecutive invalid commands",
  },
  timeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds", zero: "never" }),
    default: LEAST_TIMEOUT,
    takesEffect: "next session",
    session: true,
    help: "seconds of inactivity before a session is closed",
    warn: (value) =>
      value > 0 && value < LEAST_TIMEOUT
        ? `is under ${LEAST_TIMEOUT} seconds, the least that RFC 1939 (section 3) allows`
        : undefined,
  },
  loginTimeout: {
    type: wholeNumber({ min: 1, max: 604_800, unit: "seconds" }),
    default: 60,
    takesEffect: "next session",
    session: true,
    help: "seconds a client has to log in",
  },
} as const satisfies Partial<Definitions>;
