/** Management commands a second on one connection while a hundred POP3 sessions run. */

import { dirname, join } from "node:path";
import type { Scenario } from "../support/scenario.ts";

/** Seconds for each command, one by one and pipelined. */
const SECONDS = 1;

/** What writes to the disk, or makes keys of a password, before it answers. */
const WRITERS = ["SET", "ADD"];

/** See {@linkcode Scenario}: `bench/msmp_bench.ts`, its figures against what is asked. */
export const management: Scenario = {
  name: "management",
  about: "commands a second on one management connection while 100 POP3 sessions run",
  async run({ figure }): Promise<void> {
    const script = join(dirname(import.meta.dirname!), "msmp_bench.ts");
    const { success, stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "-P=server", script, String(SECONDS)],
      cwd: dirname(dirname(script)),
      stdin: "null",
      stderr: "inherit",
    }).output();
    if (!success) throw new Error("bench/msmp_bench.ts failed");
    const said = new TextDecoder().decode(stdout);
    const rows = [...said.matchAll(/^(\S.*?)\s+(\d+) one by one\s+(\d+) by (\d+)$/gm)];
    if (rows.length === 0) throw new Error(`bench/msmp_bench.ts said no figures: ${said}`);
    for (const [, name = "", single, pipelined, together] of rows) {
      const target = WRITERS.includes(name) ? undefined : { atLeast: 1000 };
      figure(`${name}, one by one`, Number(single), "/s", target);
      figure(`${name}, ${together} at once`, Number(pipelined), "/s");
    }
    const meanwhile = /meanwhile: (\d+)/.exec(said)?.[1];
    if (meanwhile !== undefined) figure("POP3 commands meanwhile", Number(meanwhile), "/s");
  },
};
