// A client that left while the answer to its wrong password waited kept its connection slot until the answer was due: one address
// with one wrong password, a hundred times a second, left none to others.
import { assert, assertEquals } from "@std/assert";
import { pour, type Stage, startStage } from "../attacks/stage.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";

/** Seconds: much longer than the test lasts. */
const DELAY = "600";
const ROOM = 3;

function start(...flags: string[]): Promise<Stage> {
  return startStage({
    tls: false,
    authDelay: DELAY,
    flags: ["--auth-delay-max", DELAY, "--admin", "root:secret", ...flags],
  });
}

/** Says a wrong password; what is answered before it is read or not. */
async function guess(stage: Stage, answers: "read" | "unread"): Promise<Deno.TcpConn> {
  const conn = await stage.raw();
  if (answers === "read") {
    const answer = new Uint8Array(512);
    await conn.read(answer);
    await pour(conn, "USER alice\r\n");
    await conn.read(answer);
    await pour(conn, "PASS wrong\r\n");
  } else await pour(conn, "USER alice\r\nPASS wrong\r\n");
  return conn;
}

Deno.test("guessers that leave while their answer waits free their connection slots at once", async () => {
  await using stage = await start("--max-connections", `${ROOM}`);
  for (const answers of ["read", "unread"] as const) {
    // With answers unread the system closes by a reset, else in order.
    for (let round = 0; round < 2 * ROOM; round++) (await guess(stage, answers)).close();
    await stage.serves();
  }
});

Deno.test("of one address, few wrong passwords wait for their answer at once, and the right one does not wait", async () => {
  await using stage = await start();
  let answered = 0;
  const guessers = await Promise.all(Array.from({ length: 20 }, async () => {
    const client = await stage.connect({ deadline: 700_000 });
    await client.line();
    await client.ok("USER alice");
    void client.command("PASS wrong").then(async (answer) => {
      assertEquals(answer, "-ERR [AUTH] Authentication failed");
      await client.ended();
      answered++;
    }).catch(() => {});
    return client;
  }));
  // Four of each of two workers wait.
  await eventually("the others being answered", () => answered >= 12);
  await stage.serves();
  assert(answered <= 16);
  for (const client of guessers) client[Symbol.dispose]();
});

Deno.test("a wrong password of an administrator who left waits for nothing, and a line behind it does not end the wait", async () => {
  await using stage = await start();
  const connect = (): Promise<Pop3Client> =>
    Pop3Client.connect({ port: stage.program.port("msmp") });
  using hasty = await connect();
  await hasty.line();
  await hasty.send("USER root\r\nPASS wrong\r\nUSER root\r\nPASS wrong\r\nQUIT\r\n");
  // Answers to what is said together leave together.
  let answers = 0;
  void hasty.line().then(() => answers++, () => {});
  // As many as there are management connections: one that stayed would keep the last one out.
  for (let round = 0; round < 64; round++) {
    using client = await connect();
    await client.line();
    await client.ok("USER root");
    await client.send("PASS wrong\r\n");
  }
  using client = await connect();
  await client.login("root", "secret");
  await client.ok("QUIT");
  assertEquals(answers, 0);
});
