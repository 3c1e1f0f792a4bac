// Crowds of hostile clients beside a good one, which is never refused and hardly slower. Small in the normal run; POSTERN_TEST_HEAVY=1
// tries the sizes of docs/security.md for 20 seconds each and prints the figures. Without a C compiler they are ignored.
import { assert, assertEquals } from "@std/assert";
import { compileLoad, Load, type LoadOptions } from "../support/load/load.ts";
import { type Fared, median, visit } from "../support/load/good_client.ts";
import { messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";
import { heavy, type Stage, type StageOptions, startStage, USERS } from "./stage.ts";

const compiler = await new Deno.Command("cc", { args: ["--version"] }).output()
  .then(({ success }) => success, () => false);

/** Milliseconds that a busy machine may add to a median in the normal run, which looks at counts first. */
const SLACK = 40;
const SECONDS = 20;

interface Crowd extends StageOptions {
  /** Who comes. */
  readonly loads: (stage: Stage) => readonly LoadOptions[];
  /** MiB that the program may need for them. */
  readonly memory: number;
}

/** Lets a crowd come and a good client beside it. */
async function beside(name: string, crowd: Crowd): Promise<void> {
  await using folder = await temporaryFolder();
  const program = await compileLoad(folder.path);
  if (program === undefined) throw new Error("There is no C compiler");
  await using stage = await startStage(crowd);
  const good = { port: stage.program.port(), user: "bob", password: USERS.bob };
  await visit(good, (sessions) => sessions < 20);
  const usual = await visit(good, (sessions) => sessions < (heavy ? 300 : 30));
  const before = await stage.memory();
  await using loads = new AsyncDisposableStack();
  const crowds: Load[] = [];
  for (const options of crowd.loads(stage)) {
    crowds.push(loads.use(await Load.start(program, { seconds: 300, ...options })));
  }
  const begun = performance.now();
  const during = await visit(good, (sessions) =>
    heavy
      ? performance.now() - begun < SECONDS * 1000
      // Half a second at least, so that the crowd is there.
      : sessions < 40 || performance.now() - begun < 500);
  const grown = await stage.memory() - before;
  const reports = await Promise.all(crowds.map((load) => load.stop()));
  if (heavy) print(name, usual, during, grown, reports);
  assertEquals(during.failures, []);
  assert(reports.every(({ made }) => made > 0), "nobody came");
  assert(grown < crowd.memory, `${grown.toFixed()} MiB more`);
  const [one, other] = [median(usual), median(during)];
  assert(
    other < 2 * one + SLACK,
    `a session took ${other.toFixed(1)} ms beside them and ${one.toFixed(1)} ms before`,
  );
}

function print(
  name: string,
  usual: Fared,
  during: Fared,
  grown: number,
  reports: readonly unknown[],
): void {
  const milliseconds = (time: number | undefined): string => `${time?.toFixed(1)} ms`;
  const text = `${name}: usual median ${milliseconds(median(usual))}; beside ${
    milliseconds(median(during))
  }, worst ${
    milliseconds(during.times.at(-1))
  }, ${during.times.length} sessions, ${during.failures.length} failed, ${grown.toFixed()} MiB more; ${
    JSON.stringify(reports)
  }\n`;
  Deno.stdout.writeSync(new TextEncoder().encode(text));
}

function crowdTest(name: string, crowd: () => Crowd): void {
  Deno.test({ name: `crowds: ${name}`, ignore: !compiler, fn: () => beside(name, crowd()) });
}

crowdTest("silent connections, many more than there are slots, keep nobody waiting", () => ({
  tls: false,
  flags: heavy ? [] : ["--max-connections", "20"],
  memory: 300,
  // Two programs, for one has not the descriptors.
  loads: ({ program }) =>
    [0, 1].map(() => ({ mode: "hold", port: program.port(), count: heavy ? 9900 : 300 })),
}));

crowdTest("silent connections that come again when they are closed keep nobody waiting", () => ({
  tls: false,
  flags: heavy ? [] : ["--max-connections", "20"],
  memory: 300,
  loads: ({ program }) => [
    { mode: "hold", port: program.port(), count: heavy ? 9750 : 300, again: true },
    ...(heavy ? [{ mode: "hold", port: program.port(), count: 9750, again: true } as const] : []),
  ],
}));

/** The first octets of a ClientHello, which never goes on. */
const HALF_HELLO = new Uint8Array([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, ...new Uint8Array(32)]);

crowdTest("half handshakes keep nobody waiting", () => ({
  flags: heavy ? [] : ["--max-connections", "20"],
  memory: heavy ? 400 : 100,
  loads: ({ program }) => [{
    mode: "hold",
    port: program.port("pop3s"),
    count: heavy ? 5000 : 150,
    opening: HALF_HELLO,
  }],
}));

crowdTest("slow readers of a large message slow nobody", () => ({
  tls: false,
  messages: [messageOfSize((heavy ? 50 : 5) * 1_048_576)],
  flags: ["--max-connections", "3000", "--max-sessions-per-user", "3000"],
  memory: heavy ? 1500 : 150,
  loads: ({ program }) => [{
    mode: "slow",
    port: program.port(),
    count: heavy ? 2000 : 30,
    rate: heavy ? 500 : 0,
    opening: `USER alice\r\nPASS ${USERS.alice}\r\nRETR 1\r\n`,
  }],
}));

crowdTest("a client that pipelines commands without end slows nobody", () => ({
  tls: false,
  memory: 100,
  loads: ({ program }) => [{
    mode: "flood",
    port: program.port(),
    count: 1,
    opening: `USER alice\r\nPASS ${USERS.alice}\r\n${"NOOP\r\n".repeat(10_000)}`,
  }],
}));

crowdTest("guessers that leave at once keep nobody waiting", () => ({
  tls: false,
  authDelay: "1",
  flags: heavy ? [] : ["--max-connections", "10", "--auth-delay-max", "600"],
  memory: 100,
  loads: ({ program }) => [{
    mode: "leave",
    port: program.port(),
    count: 1000,
    rate: 100,
    opening: "USER alice\r\nPASS wrong\r\n",
  }],
}));

for (const mode of ["leave", "reset"] as const) {
  crowdTest(`connections that ${mode} at once slow nobody`, () => ({
    tls: false,
    memory: 100,
    loads: ({ program }) => [{
      mode,
      port: program.port(),
      count: 2000,
      rate: heavy ? 2000 : 300,
    }],
  }));
}

Deno.test({
  name: "crowds: silent connections on the management port keep no administrator waiting",
  ignore: !compiler,
  async fn(): Promise<void> {
    await using folder = await temporaryFolder();
    const program = await compileLoad(folder.path);
    await using stage = await startStage({ tls: false, flags: ["--admin", "root:pw"] });
    const port = stage.program.port("msmp");
    await using load = await Load.start(program!, {
      mode: "hold",
      port,
      count: heavy ? 3900 : 500,
      again: true,
    });
    const times: number[] = [];
    await eventually("administrators being served", async () => {
      const begun = performance.now();
      using admin = await Pop3Client.connect({ port });
      await admin.login("root", "pw");
      await admin.ok("QUIT");
      times.push(performance.now() - begun);
      return times.length >= 30;
    });
    const { greeted } = await load.stop();
    assert(greeted > 64, `${greeted} were greeted`);
    if (heavy) {
      const worst = times.toSorted((one, other) => one - other);
      const text = `management: median ${worst[15]!.toFixed(1)} ms, worst ${
        worst.at(-1)!.toFixed(1)
      } ms\n`;
      Deno.stdout.writeSync(new TextEncoder().encode(text));
    }
  },
});
