// Memory and processor: what one client sends, or does not read, costs the others nothing (GHSA-w878-pj84-3j5v, CVE-2024-23184).
import { assert, assertEquals } from "@std/assert";
import { messageOfSize } from "../support/mailboxes.ts";
import { eventually } from "../support/waiting.ts";
import { drain, heavy, pour, type Stage, startStage, USERS } from "./stage.ts";

const MIB = 1_048_576;
const ENDLESS_LINE = heavy ? 1024 * MIB : 128 * MIB;
const COMMANDS = 1_000_000;
const HEADER = 100 * MIB;
const BIG_MESSAGE = heavy ? 1024 * MIB : 128 * MIB;
/** Each login reads the whole message once to measure it. */
const SLOW_READERS = heavy ? 10 : 30;
const DRIPPERS = heavy ? 1000 : 200;
const STORM = heavy ? 10_000 : 2000;

/** Does something, and requires that memory never grew by more than so many MiB meanwhile. */
async function withinMemory(stage: Stage, most: number, work: () => Promise<void>): Promise<void> {
  await stage.serves();
  const before = await stage.memory();
  let highest = before;
  let working = true;
  const watching = (async () => {
    while (working) {
      highest = Math.max(highest, await stage.memory());
      await new Promise((resolve) => setTimeout(resolve, 30));
    }
  })();
  try {
    await work();
  } finally {
    working = false;
    await watching;
  }
  const grown = highest - before;
  assert(
    grown <= most,
    `${grown.toFixed()} MiB more than ${before.toFixed()}; ${most} are allowed`,
  );
}

async function pourMuch(conn: Deno.Conn, octets: number, letter = "A"): Promise<boolean> {
  const part = new TextEncoder().encode(letter.repeat(MIB));
  for (let sent = 0; sent < octets; sent += MIB) if (!await pour(conn, part)) return false;
  return true;
}

Deno.test("memory: a line without end is thrown away while it comes, in every phase", async () => {
  await using stage = await startStage({ tls: false });
  for (const before of ["", "AUTH PLAIN\r\n", `USER alice\r\nPASS ${USERS.alice}\r\n`]) {
    await withinMemory(stage, 60, async () => {
      using conn = await stage.raw();
      await pour(conn, before);
      assert(await pourMuch(conn, before === "" ? ENDLESS_LINE : 16 * MIB), "it was cut off");
      await pour(conn, "\r\nNOOP\r\nQUIT\r\n");
      const answers = new TextDecoder().decode(await drain(conn)).split("\r\n");
      // One refusal for the line, whatever its length, and the session goes on.
      assert(answers.at(-4)?.startsWith("-ERR "), answers.slice(-5).join(" | "));
      assertEquals(answers.at(-3), "+OK");
      assert(answers.at(-2)?.startsWith("+OK "));
    });
  }
});

Deno.test("memory: a line without end over TLS is thrown away, too", async () => {
  await using stage = await startStage();
  await withinMemory(stage, 120, async () => {
    const conn = await stage.raw();
    await pour(conn, "STLS\r\n");
    let said = "";
    const octet = new Uint8Array(1);
    while (!said.endsWith("negotiation\r\n")) {
      await conn.read(octet);
      said += String.fromCharCode(octet[0]!);
    }
    using secure = await Deno.startTls(conn, { hostname: "127.0.0.1", caCerts: [stage.ca] });
    assert(await pourMuch(secure as unknown as Deno.Conn, 32 * MIB), "it was cut off");
    await pour(secure, "\r\nQUIT\r\n");
    const answers = new TextDecoder().decode(await drain(secure));
    assert(/^-ERR [^\r]+\r\n\+OK bye\r\n$/.test(answers), answers);
  });
});

Deno.test("memory: a million commands of a client that reads no answer wait in the network, not here", async () => {
  await using stage = await startStage({ tls: false });
  await withinMemory(stage, 120, async () => {
    const conn = await stage.raw();
    await pour(conn, `USER alice\r\nPASS ${USERS.alice}\r\n`);
    const sending = pour(conn, "LIST\r\n".repeat(COMMANDS));
    // Beside it, another one is served as ever.
    for (let turn = 0; turn < 20; turn++) assert(await stage.serves() < 2000);
    const answers = await drain(conn, 4 * MIB);
    const text = new TextDecoder().decode(answers.subarray(0, 4096));
    assert(text.includes("+OK 3 messages (900 octets)\r\n1 300\r\n2 300\r\n3 300\r\n.\r\n"), text);
    conn.close();
    await sending;
  });
  await stage.aliceIsFree();
});

Deno.test("memory: TOP of a message whose header is 100 MB long is sent in pieces", async () => {
  const header = messageOfSize(HEADER);
  header.set(new TextEncoder().encode("X: "), 0);
  // No empty line anywhere: all of it is header, in one line and in many.
  for (let at = 3; at < 100; at++) if (header[at] === 10 || header[at] === 13) header[at] = 120;
  await using stage = await startStage({ tls: false, messages: [header] });
  await withinMemory(stage, 60, async () => {
    using conn = await stage.raw();
    await pour(conn, `USER alice\r\nPASS ${USERS.alice}\r\nTOP 1 0\r\nQUIT\r\n`);
    let total = 0;
    const buffer = new Uint8Array(MIB);
    for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) {
      total += read;
    }
    assert(total > HEADER, `${total} octets`);
  });
});

Deno.test("memory: slow readers of a large message hold a buffer each and no more", async () => {
  const users = Object.fromEntries(
    Array.from({ length: SLOW_READERS }, (_, index) => [`slow${index}`, "pw"]),
  );
  const big = messageOfSize(BIG_MESSAGE);
  await using stage = await startStage({ tls: false, users, messages: [big] });
  for (const name of Object.keys(users)) {
    await Deno.mkdir(`${stage.maildir}/${name}/new`, { recursive: true });
    for (const folder of ["cur", "tmp"]) await Deno.mkdir(`${stage.maildir}/${name}/${folder}`);
    await Deno.link(
      `${stage.maildir}/alice/new/1700000001.M100001P1.host`,
      `${stage.maildir}/${name}/new/1700000001.M100001P1.host`,
    );
  }
  await withinMemory(stage, 60 + SLOW_READERS, async () => {
    const readers = await Promise.all(
      Object.keys(users).map(async (name) => {
        const client = await stage.connect({ deadline: 120_000 });
        await client.login(name, "pw");
        assertEquals(await client.command("RETR 1"), `+OK ${BIG_MESSAGE} octets`);
        await client.exactly(1000);
        return client;
      }),
    );
    for (let turn = 0; turn < 10; turn++) assert(await stage.serves() < 2000);
    for (const client of readers) client[Symbol.dispose]();
  });
  await eventually("the maildrops being free", async () => {
    using client = await stage.connect();
    await client.line();
    await client.ok("USER slow0");
    return (await client.command("PASS pw")).startsWith("+OK");
  });
});

Deno.test("memory: clients that send an octet a second slow nobody", async () => {
  await using stage = await startStage({ tls: false, flags: ["--max-connections", "5000"] });
  const middle = async (): Promise<number> => {
    const times: number[] = [];
    for (let turn = 0; turn < 25; turn++) times.push(await stage.serves());
    return times.sort((one, other) => one - other)[12]!;
  };
  const usual = await middle();
  const drippers = await Promise.all(Array.from({ length: DRIPPERS }, () => stage.raw()));
  let dripping = true;
  const work = Promise.all(drippers.map(async (conn, index) => {
    // Spread over the second, as they would be.
    await new Promise((resolve) => setTimeout(resolve, index * 1000 / DRIPPERS));
    while (dripping && await pour(conn, "N")) {
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  let beside = NaN;
  try {
    // Real time is what is measured: where the machine was busy with something else, it is measured again.
    await eventually(
      "a session beside them as quick as before",
      async () => (beside = await middle()) < 2 * usual + 10,
      () => `It took ${beside.toFixed(1)} ms, and ${usual.toFixed(1)} ms before.`,
    );
  } finally {
    dripping = false;
    await work;
    for (const conn of drippers) conn.close();
  }
});

Deno.test("memory: a connection a millisecond, of clients that leave at once, leaves nothing behind", async () => {
  await using stage = await startStage({ tls: false });
  await withinMemory(stage, 80, async () => {
    for (let turn = 0; turn < STORM / 50; turn++) {
      const conns = await Promise.all(Array.from({ length: 50 }, () => stage.raw()));
      await Promise.all(conns.map(async (conn, index) => {
        if (index % 3 === 0) await pour(conn, "USER alice\r\nPAS");
        if (index % 3 === 1) await conn.read(new Uint8Array(100)).catch(() => null);
        conn.close();
      }));
      if (turn % 10 === 0) assert(await stage.serves() < 2000);
    }
  });
  await stage.serves();
});
