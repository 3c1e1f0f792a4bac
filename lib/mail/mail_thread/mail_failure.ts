/** Errors of a mail store on their way between threads, where they would lose their class. */

import { NoHelperError } from "../../contracts/held_folders.ts";
import {
  MaildropUnavailableError,
  MaildropUnreadableError,
  MessageChangedError,
  MessageGoneError,
} from "../../contracts/mail_store.ts";
import { noHelper } from "../held/no_helper.ts";
import type { MailFailure } from "./messages.ts";

type ErrorClass = new (message: string, options?: ErrorOptions) => Error;

const KINDS: Readonly<Record<Exclude<MailFailure["kind"], "other">, ErrorClass>> = {
  unreadable: MaildropUnreadableError,
  unavailable: MaildropUnavailableError,
  gone: MessageGoneError,
  changed: MessageChangedError,
  range: RangeError,
};

/** What is sent of an error. */
export function failureOf(error: unknown): MailFailure {
  const message = error instanceof Error ? error.message : String(error);
  const found = Object.entries(KINDS).find(([, kind]) => error instanceof kind);
  return {
    kind: (found?.[0] ?? "other") as MailFailure["kind"],
    message,
    isHelpless: error instanceof Error && error.cause instanceof NoHelperError,
  };
}

/** Makes the error again. */
export function errorOf({ kind, message, isHelpless }: MailFailure): Error {
  const options = isHelpless ? { cause: noHelper() } : undefined;
  return kind === "other" ? new Error(message, options) : new KINDS[kind](message, options);
}
