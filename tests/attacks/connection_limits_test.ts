// Connection slots: who gives way to whom (pop3.md, "Limits"), at every stage of a connection, and how many one address may have.
import { assert, assertEquals } from "@std/assert";
import { GIVE_WAY_MS, LOOK_MS } from "../../lib/net/slot_limits.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { eventually } from "../support/waiting.ts";
import { drain, pour, type Stage, startStage, USERS } from "./stage.ts";

const DISPLACED =
  "-ERR [SYS/TEMP] Too many connections, and this one has not logged in; try again later";
const TOO_MANY = "-ERR [SYS/TEMP] Too many connections from your address";

async function greeted(stage: Stage): Promise<Pop3Client> {
  const client = await stage.connect();
  assert((await client.line()).startsWith("+OK "));
  return client;
}

/** Whether the other side has ended a connection, without waiting for it. */
function watchEnd(conn: Deno.TcpConn): () => boolean {
  let ended = false;
  void drain(conn).then(() => ended = true);
  return () => ended;
}

Deno.test("connections: the oldest that has not logged in gives way to each newcomer, and is told so", async () => {
  await using stage = await startStage({ tls: false, flags: ["--max-connections", "4"] });
  using clients = new DisposableStack();
  const inside = clients.use(await stage.connect());
  await inside.login("alice", USERS.alice);
  const silent: Pop3Client[] = [];
  for (let count = 0; count < 3; count++) silent.push(clients.use(await greeted(stage)));
  // Being busy is no login.
  await silent[0]!.ok("CAPA");
  await silent[0]!.list();
  for (let count = 0; count < 2; count++) {
    // Greeted as soon as one of the silent ones is old enough.
    const newcomer = clients.use(await greeted(stage));
    assertEquals(await silent[count]!.line(), DISPLACED);
    await silent[count]!.ended();
    await newcomer.ok("NOOP");
  }
  await silent[2]!.ok("NOOP");
  await inside.ok("NOOP");
  await inside.leave();
});

Deno.test("connections: those in the middle of a TLS handshake give way as well", async () => {
  await using stage = await startStage({ flags: ["--max-connections", "3"] });
  using silent = new DisposableStack();
  const wordless = silent.use(await stage.raw("pop3s"));
  const halfway = silent.use(await stage.raw("pop3s"));
  await pour(halfway, new Uint8Array([22, 3, 1, 2, 0, 1, 0]));
  const behindStls = silent.use(await stage.raw());
  await pour(behindStls, "STLS\r\n");
  const ends = [wordless, halfway, behindStls].map(watchEnd);
  using newcomers = new DisposableStack();
  for (let count = 0; count < 3; count++) newcomers.use(await greeted(stage));
  await eventually("all having given way", () => ends.every((ended) => ended()));
});

Deno.test("connections: those that owe a PROXY header give way as well", async () => {
  await using stage = await startStage({
    tls: false,
    flags: ["--max-connections", "1", "--proxy-protocol", "127.0.0.0/8"],
  });
  using silent = await stage.raw();
  const ended = watchEnd(silent);
  // So that it is the first to be accepted. This decides nothing: otherwise it comes after the newcomer, and this takes longer.
  await new Promise((resolve) => setTimeout(resolve, 200));
  using newcomer = await proxied(stage, "192.0.2.7");
  assert((await newcomer.line()).startsWith("+OK "));
  await eventually("the silent one having given way", ended);
});

Deno.test("connections: where all have logged in, nobody gives way and newcomers wait until one ends", async () => {
  await using stage = await startStage({
    tls: false,
    flags: ["--max-connections", "2", "--max-sessions-per-user", "2"],
  });
  using clients = new DisposableStack();
  const inside = [clients.use(await stage.connect()), clients.use(await stage.connect())] as const;
  for (const client of inside) await client.login("alice", USERS.alice);
  const newcomer = clients.use(await stage.connect());
  let greeting: string | undefined;
  const line = newcomer.line().then((text) => greeting = text);
  // Longer than anybody without a login would be spared; on a busy machine longer still.
  await new Promise((resolve) => setTimeout(resolve, GIVE_WAY_MS + 5 * LOOK_MS));
  for (const client of inside) await client.ok("NOOP");
  assertEquals(greeting, undefined);
  await inside[0].leave();
  assert((await line).startsWith("+OK "));
  await inside[1].ok("NOOP");
});

Deno.test("connections: a limit that is given holds for each address, loopback as well", async () => {
  await using stage = await startStage({ tls: false, flags: ["--max-connections-per-ip", "3"] });
  using clients = new DisposableStack();
  for (let count = 0; count < 3; count++) clients.use(await greeted(stage));
  // More at once than are refused in all form: the rest have the same answer.
  const refused = await Promise.all(Array.from({ length: 60 }, () => stage.connect()));
  for (const client of refused) {
    assertEquals(await client.line(), TOO_MANY);
    await client.ended();
    client[Symbol.dispose]();
  }
  using other = await Pop3Client.connect({ port: stage.program.port(), hostname: "127.0.0.1" });
  assertEquals(await other.line(), TOO_MANY);
});

/** Connects as a client behind a proxy. */
async function proxied(stage: Stage, address: string): Promise<Pop3Client> {
  const client = await stage.connect();
  const family = address.includes(":") ? "TCP6" : "TCP4";
  const server = family === "TCP6" ? "2001:db8::1" : "192.0.2.1";
  await client.send(`PROXY ${family} ${address} ${server} 4000 110\r\n`);
  return client;
}

Deno.test("connections: by default one address has a quarter of them, an IPv6 network too, and loopback any number", async () => {
  await using stage = await startStage({
    tls: false,
    flags: ["--max-connections", "12", "--proxy-protocol", "127.0.0.1/32", "--admin", "root:pw"],
  });
  using clients = new DisposableStack();
  const enter = async (address: string): Promise<string> => {
    const client = clients.use(await proxied(stage, address));
    return (await client.line()).replace(/^\+OK .*/, "+OK");
  };
  for (let count = 0; count < 3; count++) assertEquals(await enter("192.0.2.7"), "+OK");
  assertEquals(await enter("192.0.2.7"), TOO_MANY);
  for (let count = 0; count < 3; count++) assertEquals(await enter(`2001:db8::${count}`), "+OK");
  assertEquals(await enter("2001:db8::ffff:1"), TOO_MANY);
  assertEquals(await enter("2001:db8:0:1::1"), "+OK");
  for (let count = 0; count < 4; count++) assertEquals(await enter("127.0.0.9"), "+OK");
  using admin = await Pop3Client.connect({ port: stage.program.port("msmp") });
  await admin.login("root", "pw");
  assertEquals(await admin.command("GET max_connections_per_ip"), "+OK 3");
  assertEquals(await admin.command("SET max_connections_per_ip 0"), "+OK Changed value");
  assertEquals(await enter("192.0.2.7"), "+OK");
});

Deno.test("connections: silent ones on the management port keep no administrator out", async () => {
  await using stage = await startStage({ tls: false, flags: ["--admin", "root:pw"] });
  using silent = new DisposableStack();
  for (let count = 0; count < 200; count++) silent.use(await stage.raw("msmp"));
  // Their own time for logging in, of 20 seconds here, is not waited for.
  for (let count = 0; count < 3; count++) {
    using admin = await Pop3Client.connect({ port: stage.program.port("msmp"), deadline: 15_000 });
    await admin.login("root", "pw");
    await admin.ok("GET timeout");
    await admin.ok("QUIT");
  }
});
