/** A soak: the real program, deliveries, clients of all manners, kills of the server, and a balance at the end. */

import { join } from "node:path";
import { makeMailbox, type TemporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { RunningProgram, runProgram, spawnProgram, startProgram } from "../support/program.ts";
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
  readonly restores: number;
}

const USERS = 16;
const CLIENTS = 12;
/** Messages that lie in the mailboxes at most: deliveries wait while there are more. */
const MOST_KEPT = 1500;
const DELIVERY_PAUSE_MS = 4;
const PASSWORD = "soak";
/** Share of the kills after which a backup is restored, and changes of the state from one backup to the next. */
const RESTORED = 0.15;
const BACKUP_EVERY = 7;

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
  #added: string[] = [];
  /** A backup of the state, and who was added before it was asked for. */
  #backup: { readonly path: string; readonly added: readonly string[] } | undefined;
  #program: RunningProgram | undefined;
  #going = true;
  #sessions = 0;
  #inUse = 0;
  #cutOff = 0;
  #kills = 0;
  #restores = 0;

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
      restores: this.#restores,
    };
  }

  get #state(): string {
    return join(this.#options.folder.path, "state.db");
  }

  #start(): Promise<RunningProgram> {
    return startProgram({
      maildir: this.#maildir,
      users: Object.fromEntries(this.#users.map(({ name }) => [name, PASSWORD])),
      state: this.#state,
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
      if (this.#options.random() < RESTORED) await this.#restore();
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

  /** Puts the last backup in the state's place, killed in the middle the first time now and then. */
  async #restore(): Promise<void> {
    if (this.#backup === undefined) return;
    const { path, added } = this.#backup;
    const { random } = this.#options;
    const args = ["restore", "--state", this.#state, path];
    if (random() < 0.5) {
      const program = new RunningProgram(spawnProgram(args));
      await pause(random() * 400);
      await program.stop("SIGKILL");
    }
    const { code, stderr } = await runProgram(args);
    if (code !== 0) throw new Error(`A backup could not be restored: ${stderr}`);
    // Whoever was added since is gone with what was restored, and is not looked for.
    this.#added = [...added];
    this.#restores++;
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
        if (number % BACKUP_EVERY === 0) await this.#backUp(admin);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        await pause(10);
      }
      await pause(20);
    }
  }

  async #backUp(admin: Pop3Client): Promise<void> {
    const added = [...this.#added];
    await admin.ok("MSMP 2");
    await admin.ok("BACKUP");
    const path = (await admin.list()).find((line) => line.startsWith("path: "))!.slice(6);
    this.#backup = { path, added };
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
