// A huge mailbox, and a huge cache that somebody planted, cost others nothing: POSTERN_TEST_HEAVY=1 for a million messages and 114 MB.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { makeMailbox, messageOfSize, temporaryFolder } from "../support/mailboxes.ts";
import { memoryOf } from "../support/memory.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { type RunningProgram, startProgram } from "../support/program.ts";

const HEAVY = Deno.env.get("POSTERN_TEST_HEAVY") === "1";
const MESSAGES = HEAVY ? 1_000_000 : 20_000;
/** Names of one file: file systems allow 65 000. */
const LINKS = 50_000;
/** Octets of the planted cache, as many as two million rows take. */
const PLANTED = (HEAVY ? 114 : 24) * 1_000_000;
/** MiB that the whole program may take. */
const MOST_MEMORY = 512;
/** Milliseconds: of a million first looks at a message on a busy machine. */
const DEADLINE = 900_000;

function tell(figures: string): void {
  // deno-lint-ignore no-console -- for people who run the heavy one
  if (HEAVY) console.log(figures);
}

const name = (number: number): string => `${1_700_000_000 + number}.M1P1.host`;

async function makeHuge(mailbox: string): Promise<void> {
  await makeMailbox(mailbox, "maildir", []);
  for (let number = 0; number < MESSAGES; number++) {
    const path = join(mailbox, "new", name(number));
    const first = number - number % LINKS;
    if (first === number) Deno.writeFileSync(path, messageOfSize(100));
    else Deno.linkSync(join(mailbox, "new", name(first)), path);
  }
}

/** Logs somebody in, and gives the longest that another session waited for an answer meanwhile, in milliseconds. */
async function logInBeside(
  program: RunningProgram,
  user: string,
): Promise<{ answer: string; longest: number; octets: string }> {
  using bob = await program.connect();
  await bob.login("bob", "x");
  using client = await Pop3Client.connect({ port: program.port(), deadline: DEADLINE });
  await client.line();
  await client.ok(`USER ${user}`);
  let isOver = false;
  const over = (): void => void (isOver = true);
  const pending = client.command("PASS x");
  pending.then(over, over);
  let longest = 0;
  while (!isOver) {
    const begun = performance.now();
    await bob.ok("NOOP");
    longest = Math.max(longest, performance.now() - begun);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const answer = await pending;
  const octets = await client.command("STAT");
  await client.command("QUIT");
  await client.ended();
  return { answer, longest, octets };
}

async function withProgram(
  users: readonly string[],
  prepare: (maildir: string) => Promise<void>,
  body: (program: RunningProgram) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  await makeMailbox(join(folder.path, "bob"), "maildir", [messageOfSize(300)]);
  await prepare(folder.path);
  await using program = await startProgram({
    maildir: folder.path,
    users: Object.fromEntries(["bob", ...users].map((user) => [user, "x"])),
    flags: ["--workers", "1"],
  });
  await body(program);
}

Deno.test(`a mailbox of ${MESSAGES} messages is served within ${MOST_MEMORY} MiB, and others go on`, async () => {
  const prepare = (maildir: string): Promise<void> => makeHuge(join(maildir, "huge"));
  await withProgram(["huge"], prepare, async (program) => {
    for (const login of ["first", "second"]) {
      const { answer, longest, octets } = await logInBeside(program, "huge");
      assert(answer.startsWith(`+OK ${MESSAGES} messages`), answer);
      assertEquals(octets, `+OK ${MESSAGES} ${MESSAGES * 100}`);
      const { peak } = await memoryOf(program.pid);
      assert(peak <= MOST_MEMORY, `${login} login: ${peak} MiB`);
      // Ten times what it takes on a quiet machine.
      assert(longest < 1000, `${login} login: another session waited for ${longest} ms`);
      tell(`${login}: ${longest.toFixed()} ms at most, ${peak.toFixed()} MiB`);
    }
  });
});

Deno.test("a huge cache that was planted in a mailbox costs its owner the reading, and others nothing", async () => {
  const plant = async (maildir: string): Promise<void> => {
    const mailbox = join(maildir, "eve");
    await makeMailbox(mailbox, "maildir", [messageOfSize(300)]);
    using file = await Deno.open(join(mailbox, ".postern-cache"), { write: true, create: true });
    // A header as it should be, of as many rows as fit, over zeros; its checksum is wrong at the very end only.
    const rows = Math.floor(PLANTED / 57);
    const header = new DataView(new ArrayBuffer(128));
    header.setUint32(0, 0x50_4f_43_01, true);
    header.setUint32(8, rows, true);
    header.setUint32(12, PLANTED - 128 - rows * 34, true);
    header.setUint32(112, 1, true);
    await file.write(new Uint8Array(header.buffer));
    await file.truncate(PLANTED);
    // A folder that was big once counts as one that holds as many names as fit in it.
    for (let number = 0; number < (HEAVY ? 60_000 : 12_000); number++) {
      Deno.linkSync(
        join(mailbox, "new", "1700000001.M100001P1.host"),
        join(mailbox, "new", `.${number}.${"x".repeat(200)}`),
      );
    }
  };
  await withProgram(["eve"], plant, async (program) => {
    const before = (await memoryOf(program.pid)).now;
    const { answer, longest } = await logInBeside(program, "eve");
    assert(answer.startsWith("+OK 1 messages"), answer);
    assert(longest < 1000, `another session waited for ${longest} ms`);
    const { peak } = await memoryOf(program.pid);
    // The octets themselves, and what is made of them.
    assert(peak - before < 3 * PLANTED / 1e6 + 50, `${before} MiB before, ${peak} at most`);
    tell(`planted: ${longest.toFixed()} ms, ${before.toFixed()}–${peak.toFixed()} MiB`);
  });
});
