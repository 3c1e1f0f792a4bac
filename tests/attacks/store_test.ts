// Mailboxes that somebody else prepared: links, FIFOs, devices, files that change, a cache made up (CVE-2019-7524).
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { Chance } from "../support/chance.ts";
import { messageOfSize } from "../support/mailboxes.ts";
import { textOf } from "../support/awkward_messages.ts";
import { heavy, type Stage, startStage, USERS } from "./stage.ts";

const BIG = (heavy ? 256 : 32) * 1_048_576;

async function run(command: string, ...args: string[]): Promise<boolean> {
  return (await new Deno.Command(command, { args, stderr: "null" }).output()).success;
}

/** What alice is shown: the answer to STAT, and every message. */
async function shown(stage: Stage): Promise<{ stat: string; messages: string[] }> {
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  const stat = await client.command("STAT");
  const messages: string[] = [];
  for (let number = 1; number <= Number(stat.split(" ")[1]); number++) {
    messages.push(textOf(await client.retrieve(number)));
  }
  await client.ok("QUIT");
  await client.ended();
  return { stat, messages };
}

Deno.test("store: links, FIFOs, devices, sockets and folders among the messages are neither served nor waited for", async () => {
  await using stage = await startStage({ tls: false });
  const box = join(stage.maildir, "alice");
  const secret = join(stage.maildir, "..", "secret");
  await Deno.writeTextFile(secret, "Subject: secret\n\nof the server\n");
  const before = await shown(stage);
  for (const folder of ["new", "cur"]) {
    const at = (name: string): string => join(box, folder, name);
    await Deno.symlink(secret, at("1600000000.M1.link"));
    await Deno.symlink("../../bob/new/1700000001.M100001P1.host", at("1600000001.M1.bobs"));
    await Deno.symlink("/dev/zero", at("1600000002.M1.zero"));
    await Deno.symlink(at("1600000003.M1.loop"), at("1600000003.M1.loop"));
    assert(await run("mkfifo", at("1600000004.M1.fifo")));
    await run("mknod", at("1600000005.M1.device"), "c", "1", "5");
    await Deno.mkdir(at("1600000006.M1.folder"));
    await Deno.writeTextFile(at("1600000006.M1.folder/1600000007.M1.inside"), "Subject: x\n\n");
    await Deno.writeTextFile(at(".hidden"), "Subject: hidden\n\n");
  }
  const after = await shown(stage);
  assertEquals(after, before);
  assert(!after.messages.some((message) => /secret|of the server|hidden/.test(message)));
});

Deno.test("store: a message that turns into something else during the session is refused, and the session goes on", async () => {
  await using stage = await startStage({
    tls: false,
    messages: Array(6).fill(messageOfSize(500)),
    errors: /could not be removed/,
  });
  const secret = join(stage.maildir, "..", "secret");
  await Deno.writeTextFile(secret, "Subject: secret\n\nof the server\n");
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  const file = (number: number): string =>
    join(stage.maildir, "alice", "new", `${1_700_000_000 + number}.M${100_000 + number}P1.host`);
  for (let number = 1; number <= 5; number++) await Deno.remove(file(number));
  await Deno.symlink(secret, file(2));
  assert(await run("mkfifo", file(3)));
  await Deno.mkdir(file(4));
  await Deno.symlink("/dev/zero", file(5));
  for (let number = 1; number <= 5; number++) {
    assert((await client.command(`RETR ${number}`)).startsWith("-ERR "), `RETR ${number}`);
    assert((await client.command(`TOP ${number} 5`)).startsWith("-ERR "), `TOP ${number}`);
  }
  assertEquals((await client.retrieve(6)).length, 500);
  // Deleting what is no message of ours any more takes nothing away from anybody.
  for (let number = 1; number <= 5; number++) await client.ok(`DELE ${number}`);
  await client.command("QUIT");
  await client.ended();
  assertEquals(await Deno.readTextFile(secret), "Subject: secret\n\nof the server\n");
  await stage.serves();
});

Deno.test("store: a message that is cut short in mid-transfer ends the connection without a terminator", async () => {
  await using stage = await startStage({
    errors: /another program cut it/,
    tls: false,
    messages: [messageOfSize(BIG)],
  });
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  assertEquals(await client.command("RETR 1"), `+OK ${BIG} octets`);
  await client.exactly(100_000);
  const [name = ""] = [...Deno.readDirSync(join(stage.maildir, "alice", "new"))].map((e) => e.name);
  await Deno.truncate(join(stage.maildir, "alice", "new", name), 200_000);
  let failure = "";
  try {
    await client.multilineSent();
  } catch (error) {
    failure = String(error);
  }
  assert(failure.includes("ended before the terminator"), failure || "a terminator came");
  await stage.serves();
});

Deno.test("store: a message that grows in mid-transfer is sent as it was measured", async () => {
  await using stage = await startStage({ tls: false, messages: [messageOfSize(BIG)] });
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  await client.ok("RETR 1");
  const [name = ""] = [...Deno.readDirSync(join(stage.maildir, "alice", "new"))].map((e) => e.name);
  const path = join(stage.maildir, "alice", "new", name);
  await Deno.writeTextFile(path, "\r\n.\r\n-ERR forged\r\n", { append: true });
  assertEquals((await client.multiline()).length, BIG);
  await client.ok("NOOP");
});

Deno.test("store: a message that is unlinked in mid-transfer is sent whole", async () => {
  await using stage = await startStage({ tls: false, messages: [messageOfSize(BIG)] });
  using client = await stage.connect();
  await client.login("alice", USERS.alice);
  await client.ok("RETR 1");
  for (const { name } of Deno.readDirSync(join(stage.maildir, "alice", "new"))) {
    await Deno.remove(join(stage.maildir, "alice", "new", name));
  }
  assertEquals((await client.multiline()).length, BIG);
  assert((await client.command("RETR 1")).startsWith("-ERR "));
});

Deno.test("store: a cache that is damaged, made up, a link or a FIFO leads nowhere", async () => {
  await using stage = await startStage({ tls: false });
  const cache = join(stage.maildir, "alice", ".postern-cache");
  const expected = await shown(stage);
  const good = await Deno.readFile(cache);
  const hostile: Uint8Array[] = [
    new Uint8Array(),
    good.subarray(0, 64),
    good.subarray(0, -1),
    good.map((octet, index) => index === good.length - 1 ? octet ^ 1 : octet),
    good.map((octet, index) => index === 8 ? 255 : octet),
    new Uint8Array([...good, 0]),
    new Uint8Array(good.length).fill(255),
    new Chance(140).octets(10_000),
    new TextEncoder().encode("../../bob/new/1700000001.M100001P1.host 300\n".repeat(100)),
  ];
  for (const octets of hostile) {
    await Deno.writeFile(cache, octets);
    assertEquals(await shown(stage), expected);
  }
  const aside = join(stage.maildir, "..", "aside");
  await Deno.writeTextFile(aside, "untouched");
  await Deno.remove(cache);
  await Deno.symlink(aside, cache);
  assertEquals(await shown(stage), expected);
  assertEquals(await Deno.readTextFile(aside), "untouched");
  await Deno.remove(cache);
  assert(await run("mkfifo", cache));
  assertEquals(await shown(stage), expected);
});

Deno.test("store: a mailbox, or a folder of one, that is a link is refused", async () => {
  await using stage = await startStage({ errors: /no link to one/, tls: false });
  const box = join(stage.maildir, "alice");
  await Deno.rename(join(box, "new"), join(box, "old"));
  await Deno.symlink("../bob/new", join(box, "new"));
  {
    using client = await stage.connect();
    await client.line();
    await client.ok("USER alice");
    const answer = await client.command(`PASS ${USERS.alice}`);
    assert(answer.startsWith("-ERR [SYS/PERM]") || answer.startsWith("+OK 0 "), answer);
  }
  await stage.serves();
});
