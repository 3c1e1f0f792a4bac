/** Very many users at the same time, each with all octets compared. */

import { join } from "node:path";
import { stuffedForm } from "../../tests/support/awkward_messages.ts";
import { connect, type LightClient, lines } from "../support/light_client.ts";
import { makeMaildir, messageName, messageOfSize, temporaryFolder } from "../support/mail.ts";
import { childrenOf, memoryOf } from "../support/processes.ts";
import type { Notebook, Scenario } from "../support/scenario.ts";
import { plainUsers, type RunningProgram, startServer } from "../support/server.ts";
import { timed } from "../support/statistics.ts";

const USERS = 500;
const OCTETS = 1_000_000;
const TRANSFORMERS = 8;
/** So many different messages; hard links spare the disk the rest. */
const KINDS = 7;
const LIST = lines("LIST");
const RETRIEVE = lines("RETR 1");

/** See {@linkcode Scenario}. */
export const crowd: Scenario = {
  name: "crowd",
  about: `${USERS} users at once, each LIST and RETR of 1 MB, every octet compared`,
  async run(notebook): Promise<void> {
    await using stage = await setUp([]);
    await retrieveAll(notebook, stage);
    notebook.figure("memory at most", memoryOf(stage.program.pid).peak, "MB");
  },
};

/** See {@linkcode Scenario}. */
export const transformedCrowd: Scenario = {
  name: "transformer-crowd",
  about: `the same through cat, with max_transformers ${TRANSFORMERS}`,
  async run(notebook): Promise<void> {
    const flags = ["--transformer", "cat", "--max-transformers", String(TRANSFORMERS)];
    await using stage = await setUp(flags);
    using watch = new ChildWatch(stage.program.pid);
    await retrieveAll(notebook, stage);
    notebook.figure("programs at once, at most", watch.most, "", { atMost: TRANSFORMERS });
    notebook.figure("programs seen", watch.seen, "", { atLeast: 1 });
    notebook.figure("programs left behind", childrenOf(stage.program.pid).length, "", {
      atMost: 0,
    });
    notebook.figure("memory at most", memoryOf(stage.program.pid).peak, "MB");
  },
};

interface Stage extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly names: readonly string[];
  /** What each kind of message is on the wire, terminator included. */
  readonly wire: readonly Uint8Array[];
}

async function setUp(flags: readonly string[]): Promise<Stage> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.use(await temporaryFolder());
  const messages = Array.from({ length: KINDS }, (_, kind) => messageOfSize(OCTETS, `${kind}`));
  for (const [kind, message] of messages.entries()) {
    await Deno.writeFile(join(folder.path, String(kind)), message);
  }
  const maildir = join(folder.path, "mail");
  const names = Array.from({ length: USERS }, (_, index) => `user${index}`);
  for (const [index, name] of names.entries()) {
    await makeMaildir(join(maildir, name));
    const kind = join(folder.path, String(index % KINDS));
    await Deno.link(kind, join(maildir, name, "new", messageName(1)));
  }
  const users = join(folder.path, "users");
  await plainUsers(users, names);
  const program = stack.use(await startServer({ maildir, flags: ["--users", users, ...flags] }));
  const kept = stack.move();
  return {
    program,
    names,
    wire: messages.map(stuffedForm),
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** All log in, and only when all are in do all ask. */
async function retrieveAll({ figure }: Notebook, { program, names, wire }: Stage): Promise<void> {
  const port = program.port();
  let refused = 0;
  const clients = await Promise.all(names.map(async (name) => {
    const client = await connect(port, "127.0.0.1", 1 << 16);
    try {
      await client.login(name);
      return client;
    } catch (error) {
      refused++;
      client[Symbol.dispose]();
      if (error instanceof Error) return undefined;
      throw error;
    }
  }));
  let wrong = 0;
  const [milliseconds] = await timed(() =>
    Promise.all(clients.map(async (client, index) => {
      if (client === undefined) return;
      if (!await retrieve(client, wire[index % KINDS]!)) wrong++;
      await client.quit();
    }))
  );
  figure("logins refused", refused, "", { atMost: 0 });
  figure("messages with a wrong octet", wrong, "", { atMost: 0 });
  figure("all together", USERS * OCTETS / milliseconds / 1000, "MB/s");
}

/** Whether LIST and RETR answer what they should, to the octet. */
async function retrieve(client: LightClient, wire: Uint8Array): Promise<boolean> {
  let listed = "";
  await client.send(LIST);
  await client.multiline((octets) => listed += new TextDecoder().decode(octets));
  let right = listed.endsWith(`\r\n1 ${OCTETS}\r\n.\r\n`);
  let first: number | undefined;
  await client.send(RETRIEVE);
  const octets = await client.multiline((octets, at) => {
    first ??= octets.indexOf(10) + 1;
    for (let index = Math.max(0, first - at); index < octets.length; index++) {
      if (octets[index] !== wire[at + index - first]) right = false;
    }
  });
  return right && octets === (first ?? 0) + wire.length;
}

/** Looks again and again at which processes another one has started. */
class ChildWatch implements Disposable {
  readonly #seen = new Set<number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #most = 0;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      const children = childrenOf(pid);
      for (const child of children) this.#seen.add(child);
      this.#most = Math.max(this.#most, children.length);
    }, 2);
  }

  /** How many were there at the same time, at most. */
  get most(): number {
    return this.#most;
  }

  /** How many different ones were there. */
  get seen(): number {
    return this.#seen.size;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}
