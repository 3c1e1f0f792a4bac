/** A hundred thousand users in the state file: the start, a login, the memory. */

import { join } from "node:path";
import type { Account } from "../../lib/contracts/account_store.ts";
import { SqliteState } from "../../lib/state/sqlite/sqlite_state.ts";
import { PasswordWork } from "../../lib/auth/password_work.ts";
import { DEFAULT_ITERATIONS, SALT_OCTETS } from "../../lib/auth/scram_keys.ts";
import { connect } from "../support/light_client.ts";
import { temporaryFolder } from "../support/mail.ts";
import { memoryOf } from "../support/processes.ts";
import type { Notebook, Scenario } from "../support/scenario.ts";
import { startServer } from "../support/server.ts";
import { median, timed } from "../support/statistics.ts";

const USERS = 100_000;
const ROUNDS = 5;
const LOGINS = 300;

/** See {@linkcode Scenario}. */
export const manyUsers: Scenario = {
  name: "many-users",
  about: `${USERS} users in the state file, against one`,
  async run({ say, figure }: Notebook): Promise<void> {
    await using folder = await temporaryFolder();
    say("writing the users");
    const few = await prepare(folder.path, "few", 1);
    const many = await prepare(folder.path, "many", USERS);
    const measured = { few: [] as Measured[], many: [] as Measured[] };
    for (let round = 0; round < ROUNDS; round++) {
      measured.few.push(await measure(few));
      measured.many.push(await measure(many));
    }
    const middle = (of: readonly Measured[], what: keyof Measured): number =>
      median(of.map((values) => values[what]));
    const more = (what: keyof Measured): number =>
      middle(measured.many, what) - middle(measured.few, what);
    figure("start with one user", middle(measured.few, "start"), "ms");
    figure("start, more with all", more("start"), "ms", { atMost: 1000 });
    const [one, all] = [middle(measured.few, "login"), middle(measured.many, "login")];
    figure("login with one user", one, "ms");
    figure("login with all to one", all / one, "×", { atMost: 1.2 });
    figure("memory, more with all", more("memory"), "MB");
  },
};

/** Where a server's files are. */
interface Place {
  readonly maildir: string;
  readonly state: string;
}

interface Measured {
  /** Milliseconds from the start of the process to `ready`. */
  readonly start: number;
  /** Milliseconds from connecting to the answer to PASS, the password remembered. */
  readonly login: number;
  /** MB after the logins. */
  readonly memory: number;
}

/** Writes a state of `count` users, all with the same password: what is measured does not depend on it. */
async function prepare(folder: string, name: string, count: number): Promise<Place> {
  const place = { maildir: join(folder, name), state: join(folder, `${name}.db`) };
  await Deno.mkdir(place.maildir);
  const salting = { salt: new Uint8Array(SALT_OCTETS), iterations: DEFAULT_ITERATIONS };
  const keys = await new PasswordWork().derive("pw", salting);
  const accounts = Array.from({ length: count }, (_, index): Account => ({
    name: `user${index}`,
    ...salting,
    password: { kind: "keys", keys },
    origin: "import",
    at: Date.now(),
  }));
  await using state = await SqliteState.open({ path: place.state });
  await state.users.putAll(accounts);
  return place;
}

async function measure(place: Place): Promise<Measured> {
  const [start, program] = await timed(() => startServer(place));
  await using _ = program;
  const logins: number[] = [];
  for (let turn = 0; turn < LOGINS; turn++) {
    const [milliseconds, client] = await timed(async () => {
      const client = await connect(program.port());
      await client.login("user0");
      return client;
    });
    logins.push(milliseconds);
    await client.quit();
  }
  return {
    start,
    login: median(logins.slice(LOGINS / 3)),
    memory: memoryOf(program.pid).now,
  };
}
