/** What a login costs whose password is kept as a hash and was right before, against one that is compared as plain text. */

import { join } from "node:path";
import { runHelper } from "../support/helper.ts";
import { makeMaildir, temporaryFolder } from "../support/mail.ts";
import type { PollerResult, PollerTask } from "../support/poller.ts";
import { processorSeconds } from "../support/processes.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { alternate } from "../support/statistics.ts";

const USERS = 50;
const SESSIONS = 1500;
const ROUNDS = 7;

/** See {@linkcode Scenario}. */
export const passwords: Scenario = {
  name: "passwords",
  about: "whole sessions: a remembered password of the state file against a plain text comparison",
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    const maildir = join(folder.path, "mail");
    const named = (kind: string): string[] =>
      Array.from({ length: USERS }, (_, index) => `${kind}${index}`);
    const [kept, plain] = [named("kept"), named("plain")];
    for (const name of [...kept, ...plain]) await makeMaildir(join(maildir, name));
    const file = join(folder.path, "users");
    await plainUsers(file, plain);
    await using program = await startServer({
      maildir,
      users: Object.fromEntries(kept.map((name) => [name, "pw"])),
      flags: ["--users", file],
    });
    const processor = new Map<readonly string[], number>();
    const sessionTime = async (users: readonly string[]): Promise<number> => {
      const task: PollerTask = {
        port: program.port(),
        users,
        sessions: SESSIONS,
        atOnce: 4,
        pipelined: false,
      };
      const before = processorSeconds(program.pid);
      const { seconds } = await runHelper<PollerResult>("poller", [JSON.stringify(task)]);
      const spent = processorSeconds(program.pid) - before;
      processor.set(users, (processor.get(users) ?? 0) + spent);
      return seconds / SESSIONS * 1e6;
    };
    const { remembered, compared } = await alternate(ROUNDS, {
      remembered: () => sessionTime(kept),
      compared: () => sessionTime(plain),
    });
    figure("session, remembered password", remembered, "µs");
    figure("session, plain text compared", compared, "µs");
    figure("remembered to plain, time", remembered / compared, "×", { atMost: 1.2 });
    const cost = processor.get(kept)! / processor.get(plain)!;
    figure("remembered to plain, processor", cost, "×", { atMost: 1.2 });
  },
};
