/** Whether the time of a refused login tells that a user exists. */

import { connect as connectFrom, type Socket } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { lines } from "../support/light_client.ts";
import { temporaryFolder } from "../support/mail.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { median } from "../support/statistics.ts";

const TRIES = 2000;
const USERS = 2000;
/** Tries from one address: more, and it would be banned. */
const TRIES_AN_ADDRESS = 10;
const WRONG = lines("PASS wrong");

/** See {@linkcode Scenario}. */
export const refused: Scenario = {
  name: "refused",
  about:
    `a refused login: an unknown user against a wrong password, ${TRIES} tries each, without delays`,
  async run({ say, figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    await Deno.mkdir(maildir);
    say("the passwords of the users are hashed");
    const state = Object.fromEntries(numbered("kept", 50).map((name) => [name, "pw"]));
    const users = join(folder.path, "users");
    await plainUsers(users, numbered("user", USERS));
    await using program = await startServer({
      maildir,
      users: state,
      flags: ["--users", users, "--auth-delay", "0"],
    });
    for (
      const [about, known, unknown] of [
        ["users of a file", numbered("user", USERS), numbered("nobo", USERS)],
        ["users of the state", Object.keys(state), numbered("none", 50)],
      ] as const
    ) {
      const times = { known: [] as number[], unknown: [] as number[] };
      for (let turn = -100; turn < TRIES; turn++) {
        const index = (turn + 100) % known.length;
        const tries = [["known", known[index]!], ["unknown", unknown[index]!]] as const;
        // Who is first changes, so that being first is no difference.
        for (const [kind, name] of turn % 2 === 0 ? tries : tries.toReversed()) {
          const time = await refusal(program.port(), nextAddress(), name);
          if (turn >= 0) times[kind].push(time);
        }
      }
      const [right, wrong] = [median(times.known), median(times.unknown)];
      figure(`${about}: wrong password`, right, "ms");
      figure(`${about}: unknown user`, wrong, "ms");
      figure(`${about}: difference`, Math.abs(wrong / right - 1) * 100, "%", { atMost: 2 });
    }
  },
};

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}${String(index).padStart(4, "0")}`);
}

let tries = 0;

/** A loopback address to come from. */
function nextAddress(): string {
  const number = Math.floor(tries++ / TRIES_AN_ADDRESS);
  return `127.1.${number >> 8 & 255}.${1 + (number & 127)}`;
}

/** Milliseconds from PASS to its answer, which must be a refusal. */
async function refusal(port: number, localAddress: string, user: string): Promise<number> {
  const socket = connectFrom({ host: "127.0.0.1", port, localAddress, noDelay: true });
  try {
    await answer(socket);
    socket.write(lines(`USER ${user}`));
    await answer(socket);
    const start = performance.now();
    socket.write(WRONG);
    const said = await answer(socket);
    const time = performance.now() - start;
    if (!said.startsWith("-ERR [AUTH]")) throw new Error(`${user}: ${said}`);
    return time;
  } finally {
    socket.destroy();
  }
}

/** The next answer: each fits one segment. */
async function answer(socket: Socket): Promise<string> {
  const [octets] = await once(socket, "data");
  return String(octets);
}
