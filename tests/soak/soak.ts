/** A soak: the real program, deliveries, clients of all manners, kills of the server, and a balance at the end. */

import { join } from "node:path";
import { makeMailbox, type TemporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";
import { Deliveries, filesOf, type SoakUser } from "./deliveries.ts";
import { Ledger } from "./ledger.ts";
import { visit } from "./visitor.ts";

/** How a soak goes. */
export interface SoakOptions {
  /** A folder of its own. */
  readonly folder: TemporaryFolder;
  readonly workers: number;
  /** Milliseconds that the program runs between two kills; undefined never kills it. */
  readonly life?: () => number;
  /** How many times it is killed at most, or how long in milliseconds all goes on. */
  readonly until: { readonly kills: number } | { readonly milliseconds: number };
  /** More flags for the program. */
  readonly flags?: readonly string[];
  readonly random: () => number;
}

/** What came of it. */
export interface SoakOutcome {
  readonly ledger: Ledger;
  readonly sessions: number;
  readonly inUse: number;
  readonly cutOff: number;
  readonly kills: number;
}

const USERS = 16;
const CLIENTS = 12;
/** Messages that lie in the mailboxes at most: deliveries wait while there are more. */
const MOST_KEPT = 1500;
const DELIVERY_PAUSE_MS = 4;
const PASSWORD = "soak";

/** Soaks. Faults are in the ledger; throws when the program breaks the protocol or ends by itself. */
export async function soak(options: SoakOptions): Promise<SoakOutcome> {
  return await new Soak(options).run();
}

class Soak {
  readonly #options: SoakOptions;
  readonly #maildir: string;
  readonly #users: readonly SoakUser[];
  readonly #ledger = new Ledger();
  readonly #end: number;
  /** Users that an administrator was told to have added. */
  readonly #added: string[] = [];
  #program: RunningProgram | undefined;
  #going = true;
  #sessions = 0;
  #inUse = 0;
  #cutOff = 0;
  #kills = 0;

  constructor(options: SoakOptions) {
    this.#options = options;
    this.#maildir = join(options.folder.path, "mail");
    this.#users = Array.from({ length: USERS }, (_, index): SoakUser => ({
      name: `user${index}`,
      layout: index % 4 === 3 ? "folder" : "maildir",
    }));
    const { until } = options;
    this.#end = performance.now() + ("milliseconds" in until ? until.milliseconds : Infinity);
  }

  async run(): Promise<SoakOutcome> {
    for (const { name, layout } of this.#users) {
      await makeMailbox(join(this.#maildir, name), layout, []);
    }
    this.#program = await this.#start();
    try {
      await Promise.all([
        this.#keep(),
        this.#deliver(),
        this.#manage(),
        ...Array.from({ length: CLIENTS }, () => this.#visit()),
      ].map((actor) => actor.catch((error) => this.#fail(error))));
      await this.#program.stop();
      this.#ledger.balance(await Array.fromAsync(filesOf(this.#maildir, this.#users)));
      await this.#lastVisits();
    } finally {
      await this.#program?.stop("SIGKILL");
    }
    return {
      ledger: this.#ledger,
      sessions: this.#sessions,
      inUse: this.#inUse,
      cutOff: this.#cutOff,
      kills: this.#kills,
    };
  }

  #start(): Promise<RunningProgram> {
    return startProgram({
      maildir: this.#maildir,
      users: Object.fromEntries(this.#users.map(({ name }) => [name, PASSWORD])),
      state: join(this.#options.folder.path, "state.db"),
      flags: [
        ...["--workers", String(this.#options.workers)],
        ...["--admin", "root:secret", "--auth-delay", "0"],
        ...this.#options.flags ?? [],
      ],
    });
  }

  /** Kills the program and starts it again, and says when all is over. */
  async #keep(): Promise<void> {
    const { life, until } = this.#options;
    while (this.#going) {
      await pause(Math.min(life?.() ?? Infinity, this.#end - performance.now()));
      if (performance.now() >= this.#end) break;
      const { signal } = await this.#program!.stop("SIGKILL");
      if (signal !== "SIGKILL") throw new Error("The program ended before it was killed");
      this.#kills++;
      // No repair: it starts as it was left.
      this.#program = await this.#start();
      if ("kills" in until && this.#kills >= until.kills) break;
    }
    this.#going = false;
  }

  async #deliver(): Promise<void> {
    const { random } = this.#options;
    const deliveries = new Deliveries({
      maildir: this.#maildir,
      users: this.#users,
      ledger: this.#ledger,
      random,
    });
    while (this.#going) {
      if (this.#ledger.count("kept") < MOST_KEPT) await deliveries.deliver();
      await pause(DELIVERY_PAUSE_MS);
    }
  }

  async #visit(): Promise<void> {
    const { random } = this.#options;
    while (this.#going) {
      const { name: user } = this.#users[Math.floor(random() * USERS)]!;
      const outcome = await visit({
        port: this.#program!.port(),
        user,
        password: PASSWORD,
        ledger: this.#ledger,
        random,
      });
      if (outcome === "done") this.#sessions++;
      else if (outcome === "in-use") this.#inUse++;
      else {
        this.#cutOff++;
        await pause(10);
      }
    }
  }

  /** Changes of the state: what an administrator was told is so outlives every kill. */
  async #manage(): Promise<void> {
    for (let number = 0; this.#going; number++) {
      try {
        using admin = await Pop3Client.connect({ port: this.#program!.port("msmp") });
        await admin.login("root", "secret");
        await admin.ok(`ADD added${number} x`);
        this.#added.push(`added${number}`);
        await admin.ok(`SET max_users ${1000 + number}`);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await pause(10);
      }
      await pause(20);
    }
  }

  /** What is left can be had, and who was added is there. */
  async #lastVisits(): Promise<void> {
    this.#program = await this.#start();
    const port = this.#program.port();
    for (const { name } of this.#users) {
      using client = await Pop3Client.connect({ port });
      await client.login(name, PASSWORD);
      await client.ok("UIDL");
      for (const line of await client.list()) {
        const [number, uid] = line.split(" ");
        this.#ledger.retrieved(name, uid!, await client.retrieve(Number(number)));
      }
      await client.ok("QUIT");
    }
    for (const name of this.#added) {
      using client = await Pop3Client.connect({ port });
      await client.line();
      await client.ok(`USER ${name}`);
      const answer = await client.command("PASS x");
      if (!answer.startsWith("+OK ")) {
        this.#ledger.faults.push(`${name} was added and is gone: ${answer}`);
      }
    }
  }

  /** One that fails ends all. */
  #fail(error: unknown): void {
    this.#going = false;
    this.#ledger.faults.push(error instanceof Error ? error.stack ?? error.message : String(error));
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) =>
    setTimeout(resolve, Math.max(0, Math.min(milliseconds, 2 ** 31 - 1)))
  );
}
