/** A well-behaved client that comes again and again: login, STAT, QUIT; how long its sessions take, and how many fail. */

import { Pop3Client } from "../pop3_client.ts";

/** How a good client fared. */
export interface Fared {
  /** Milliseconds of the sessions that went well, sorted. */
  readonly times: readonly number[];
  /** Why the others failed. */
  readonly failures: readonly string[];
}

/** Where and as whom it comes. */
export interface GoodClientOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Milliseconds that any one wait may take. @default 20000 */
  readonly deadline?: number;
  /** Milliseconds between two sessions. @default 0 */
  readonly pause?: number;
}

/** Comes until it is told to stop, one session after the other. */
export async function visit(
  options: GoodClientOptions,
  goOn: (sessions: number) => boolean,
): Promise<Fared> {
  const { user, password, pause = 0, ...where } = options;
  const times: number[] = [];
  const failures: string[] = [];
  while (goOn(times.length + failures.length)) {
    const begun = performance.now();
    try {
      using client = await Pop3Client.connect(where);
      await client.login(user, password);
      await client.ok("STAT");
      await client.ok("QUIT");
      times.push(performance.now() - begun);
    } catch (error) {
      failures.push(error instanceof Error ? error.message : String(error));
    }
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  }
  return { times: times.sort((one, other) => one - other), failures };
}

/** The middle one of sorted times. */
export function median({ times }: Pick<Fared, "times">): number {
  return times[times.length >> 1] ?? Infinity;
}
