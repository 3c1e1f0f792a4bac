/** The greeting (RFC 1939, section 4), which is sent before there is a session. */

import type { SessionSettings } from "../contracts/settings.ts";

/** Who is greeted, and when. */
export interface Greeted {
  readonly session: string;
  /** When the client connected, on the wall clock. */
  readonly at: number;
}

/** What APOP's digest is made with (RFC 1939, section 7): in this session's greeting, and in no other's. */
export function timestamp({ session, at }: Greeted, settings: SessionSettings): string {
  return `<${session}.${at}@${settings.serverName}>`;
}

/** The greeting's text. */
export function greeting(greeted: Greeted, settings: SessionSettings): string {
  const text = settings.greeting ?? `${settings.serverName} Postern POP3 ready`;
  return settings.apop ? `${text} ${timestamp(greeted, settings)}` : text;
}

/** Names that are repeated to who gave them: what can stand in a first line as it is, and is no answer of its own. */
const PLAIN_NAME = /^[A-Za-z0-9@._+-]{1,64}$/;

/** What `--greeting-style friendly` calls a user: the name as it was given, whether or not there is such a user. */
export function calledBy(name: string | undefined, words: string): string {
  return name !== undefined && PLAIN_NAME.test(name) ? `${words} ${name}` : words;
}
