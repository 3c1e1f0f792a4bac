// kill -9 at random moments of changes, migrations, backups and restores: the state opens each time with all that was acknowledged.

import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { restoreBackup } from "../../lib/state/restore.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { account } from "../contracts/state_store_contract.ts";
import { Chance } from "../support/chance.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { makeVersion1 } from "./version_1.ts";

const KILLS = Deno.env.get("POSTERN_TEST_HEAVY") === "1" ? 2000 : 40;
const KINDS = ["change", "migrate", "backup", "restore"] as const;
/** Lines that the program says at most before its last moment begins, and milliseconds that this lasts at most. */
const MOST_LINES = 6;
const LAST_MOMENT = 25;

/** How long a program lives. */
interface Life {
  readonly lines: number;
  readonly moment: number;
}

Deno.test(`state file opens after each of ${KILLS} kills, with everything acknowledged`, async () => {
  const seed = Number(Deno.env.get("POSTERN_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  const chance = new Chance(seed);
  await using folder = await temporaryFolder();
  const rounds = new Rounds(folder.path);
  await rounds.prepare();
  for (let kill = 0; kill < KILLS; kill++) {
    const kind = KINDS[kill % KINDS.length]!;
    try {
      const lines = chance.between(1, MOST_LINES);
      await rounds.play(kind, { lines, moment: chance.next() * LAST_MOMENT }, kill);
    } catch (error) {
      throw new Error(`kill ${kill} (${kind}) with POSTERN_TEST_SEED=${seed}`, { cause: error });
    }
  }
  assert(rounds.acknowledged > KILLS / 4, `${rounds.acknowledged} acknowledged: too few to tell`);
});

class Rounds {
  readonly #folder: string;
  readonly #state: string;
  readonly #backups: string;
  readonly #restored: string;
  acknowledged = 0;

  constructor(folder: string) {
    this.#folder = folder;
    this.#state = join(folder, "state", "postern.db");
    this.#backups = join(folder, "backups");
    this.#restored = join(folder, "restored", "postern.db");
  }

  /** Two backups, of 3 and of 300 users, which restores put in place in turn. */
  async prepare(): Promise<void> {
    for (const name of ["state", "backups", "restored", "migrated"]) {
      await Deno.mkdir(join(this.#folder, name));
    }
    for (const [turn, users] of [3, 300].entries()) {
      await using state = await SqliteState.open({ path: `${this.#restored}.${turn}` });
      await state.users.putAll(Array.from({ length: users }, (_, n) => account(`u${n}`)));
      await state[Symbol.asyncDispose]();
      await Deno.rename(
        `${this.#restored}.${turn}`,
        join(this.#folder, "restored", `${turn}.backup`),
      );
    }
    restoreBackup(join(this.#folder, "restored", "0.backup"), this.#restored);
  }

  /** Lets one program live, and looks at what it left. */
  async play(kind: typeof KINDS[number], life: Life, kill: number): Promise<void> {
    if (kind === "restore") {
      await this.#run(kind, life, this.#restored, join(this.#folder, "restored"));
      await using state = await SqliteState.open({ path: this.#restored });
      assert([3, 300].includes(await state.users.count()));
      return await this.#forgetKept();
    }
    const path = kind === "migrate" ? await this.#version1(kill) : this.#state;
    const said = await this.#run(kind, life, path, this.#backups);
    await using state = await SqliteState.open({ path });
    const last = Number(said.findLast((line) => /^\d+$/.test(line)) ?? -1);
    for (let n = 0; n <= last; n++) assert(await state.users.find(`u${n}`), `user ${n}`);
    if (last >= 0) assert(Number((await state.settings.all()).get("timeout")) >= last);
    assertEquals((await Array.fromAsync(state.users.list())).length, await state.users.count());
    if (kind === "migrate") assertEquals((await state.users.find("u0"))?.appPasswords.length, 1);
    if (kind === "backup") await this.#lookAtBackups(last);
  }

  /** Every file that has a backup's name is one, and has what was there when it was acknowledged. */
  async #lookAtBackups(last: number): Promise<void> {
    for await (const { name } of Deno.readDir(this.#backups)) {
      const path = join(this.#backups, name);
      if (name.endsWith(".backup")) {
        const number = Number.parseInt(name);
        const { users } = restoreBackup(path, join(this.#folder, "checked.db"));
        assert(users === number + 1 || users === number + 2, `${name} has ${users} users`);
        assert(number <= last + 1, `${name} was made before it was asked for`);
      }
      // Also what a kill left of one that was not finished.
      await Deno.remove(path);
    }
  }

  async #forgetKept(): Promise<void> {
    const folder = join(this.#folder, "restored");
    // Listed before any is opened: opening one makes files beside it.
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name)
      .filter((name) => name.includes("before-restore"));
    for (const name of names) {
      // What is kept of a log belongs to the file of its name.
      if (/-(?:wal|shm|journal)$/.test(name)) continue;
      await using state = await SqliteState.open({ path: join(folder, name) });
      assert([3, 300].includes(await state.users.count()), name);
    }
    for await (const { name } of Deno.readDir(folder)) {
      if (name.includes("before-restore")) await Deno.remove(join(folder, name));
    }
  }

  /** A file of version 1 that was closed well, or killed with everything in its log. */
  async #version1(kill: number): Promise<string> {
    const path = join(this.#folder, "migrated", `${kill}.db`);
    const [first, killed] = [`${path}.first`, kill % 8 < 4];
    makeVersion1(first, 50, () => {
      for (const suffix of killed ? ["", "-wal"] : []) {
        Deno.copyFileSync(first + suffix, path + suffix);
      }
    });
    if (!killed) await Deno.rename(first, path);
    return path;
  }

  /** Returns the whole lines that the program said. */
  async #run(
    kind: string,
    { lines, moment }: Life,
    path: string,
    folder: string,
  ): Promise<string[]> {
    const script = new URL("./killed_worker.ts", import.meta.url).pathname;
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "-q", "--no-check", "--cached-only", "-A", script],
        ...[kind, path, folder],
      ],
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    let text = "";
    let timer: ReturnType<typeof setTimeout> | undefined;
    const errors = new Response(child.stderr).text();
    for await (const part of child.stdout.pipeThrough(new TextDecoderStream())) {
      text += part;
      if (text.split("\n").length > lines) {
        timer ??= setTimeout(() => end(child), moment);
      }
    }
    await child.status;
    clearTimeout(timer);
    assertEquals(await errors, "");
    const said = text.split("\n").slice(0, -1);
    this.acknowledged += said.length - 1;
    return said;
  }
}

/** One that has ended by itself has said why, which is looked at. */
function end(child: Deno.ChildProcess): void {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
  }
}
