/** Retrieves big messages. */

import { connect, lines } from "./light_client.ts";
import type { BigMessage } from "./mail.ts";
import { timed } from "./statistics.ts";

/** Octets of one read of a client that wants much. */
export const READ_OCTETS = 1 << 18;

const RETRIEVE = lines("RETR 1");

/**
 * Logs in, retrieves the only message and quits.
 *
 * @returns seconds from RETR to the terminator
 * @throws {Error} when more or fewer octets came than the message has
 */
export async function retrieveBig(
  port: number,
  user: string,
  message: BigMessage,
): Promise<number> {
  const client = await connect(port, "127.0.0.1", READ_OCTETS);
  await client.login(user);
  await client.send(RETRIEVE);
  const [milliseconds, octets] = await timed(() => client.multiline());
  const first = octets - message.wireOctets;
  if (first < 5 || first > 64) throw new Error(`${octets} octets came for ${message.wireOctets}`);
  await client.quit();
  return milliseconds / 1000;
}
