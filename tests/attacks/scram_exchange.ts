/** SCRAM-SHA-256 over POP3 as an attacker says it: each message can be another one than the rules want. */

import { scramClient } from "../contracts/scram_client.ts";
import type { Pop3Client } from "../support/pop3_client.ts";
import { base64 } from "./stage.ts";

/** What the attacker says differently. */
export interface ScramScript {
  readonly user: string;
  readonly password: string;
  /** The GS2 header. @default "n,," */
  readonly header?: string;
  /** The client's nonce. @default a fixed one */
  readonly nonce?: string;
  /** What is sent for the channel binding. @default the GS2 header */
  readonly binding?: string;
  /** Makes the nonce of the last message from the server's. @default the same */
  readonly finalNonce?: (nonce: string) => string;
  /** Sent in place of the last message. */
  readonly replay?: string;
}

/** What came of it. */
export interface ScramEnd {
  /** The server's first message. */
  readonly serverFirst: string;
  /** The client's last message, as it went over the wire. */
  readonly sent: string;
  /** What the server answered to it: a challenge with its own proof, or a refusal. */
  readonly answer: string;
  /** Whether that proof was right. */
  readonly proven: boolean;
}

/** Plays the exchange up to the server's proof; what is to be said behind it, the caller says. */
export async function scram(client: Pop3Client, script: ScramScript): Promise<ScramEnd> {
  const { user, header = "n,,", nonce = "fyko+d2lbbFgONRv9qkxdawL" } = script;
  const bare = `n=${user},r=${nonce}`;
  const first = await client.command(`AUTH SCRAM-SHA-256 ${base64(header + bare)}`);
  if (!first.startsWith("+ ")) return { serverFirst: "", sent: "", answer: first, proven: false };
  const serverFirst = atob(first.slice(2));
  const { r = "", s = "", i = "" } = fieldsOf(serverFirst);
  const theirs = (script.finalNonce ?? ((told) => told))(r);
  const unproved = `c=${base64(script.binding ?? header)},r=${theirs}`;
  const { proof, serverSignature } = scramClient(
    script.password,
    { salt: Uint8Array.fromBase64(s), iterations: Number(i) },
    `${bare},${serverFirst},${unproved}`,
  );
  const sent = script.replay ?? base64(`${unproved},p=${proof.toBase64()}`);
  const answer = await client.command(sent);
  const proven = answer === `+ ${base64(`v=${serverSignature.toBase64()}`)}`;
  return { serverFirst, sent, answer, proven };
}

/** The fields of a SCRAM message by their letters. */
export function fieldsOf(message: string): Record<string, string> {
  return Object.fromEntries(message.split(",").map((field) => [field[0], field.slice(2)]));
}
