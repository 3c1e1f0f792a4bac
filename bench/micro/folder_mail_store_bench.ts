/** Times the folder store: `deno run -P=server bench/micro/folder_mail_store_bench.ts [messages]`. Prints one line a figure. */

import { systemClock } from "../../lib/async/clock.ts";
import { countOn } from "../../lib/async/running_time.ts";
import { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import { heldFolders } from "../../lib/app/held_folders.ts";
import type { Maildrop } from "../../lib/contracts/mail_store.ts";

const BODY = new TextEncoder().encode(
  "From: a@example.org\nSubject: one\n\n" + "hello world line\n".repeat(58),
);
const out = (line: string): void =>
  void Deno.stdout.writeSync(new TextEncoder().encode(line + "\n"));

function fill(root: string, user: string, messages: number, folder: "new" | "cur"): void {
  for (const name of ["", "/cur", "/new", "/tmp"]) {
    Deno.mkdirSync(`${root}/${user}${name}`, { recursive: true, mode: 0o700 });
  }
  for (let n = 0; n < messages; n++) {
    const name = `${1_700_000_000 + n}.M${n}P77.mail.example.org${folder === "cur" ? ":2,S" : ""}`;
    Deno.writeFileSync(`${root}/${user}/${folder}/${name}`, BODY);
  }
}

/** Sets the folders' times, and lets them grow old enough to be relied on. */
async function settle(root: string, user: string): Promise<void> {
  const past = new Date(Date.now() - 10_000);
  for (const folder of ["new", "cur"]) Deno.utimeSync(`${root}/${user}/${folder}`, past, past);
  await growOld();
}

/** A folder that changed within the last 1.1 s is listed again. */
function growOld(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2200));
}

async function time(what: () => PromiseLike<unknown>): Promise<number> {
  const start = performance.now();
  await what();
  return performance.now() - start;
}

async function login(store: FolderMailStore, user: string): Promise<number> {
  let maildrop: Maildrop | undefined;
  const milliseconds = await time(async () => maildrop = await store.acquire(user));
  await maildrop?.[Symbol.asyncDispose]();
  return milliseconds;
}

const root = Deno.makeTempDirSync();
try {
  const store = new FolderMailStore({
    account: Deno.uid()!,
    held: heldFolders(Deno.env.get("PATH") ?? "")(root),
    root,
    maxMessages: 0,
    expireDays: 0,
    flagUpdates: true,
    running: countOn({ id: "0123456789abcdef", at: 1 }, systemClock),
    warn: (message, properties) => out(`${message} ${JSON.stringify(properties)}`),
  });
  const messages = Number(Deno.args[0] ?? 100_000);
  fill(root, "many", messages, "new");
  await growOld();
  const each = (milliseconds: number): string =>
    `${milliseconds.toFixed(0)} ms, ${(milliseconds * 1000 / messages).toFixed(2)} µs a message`;
  out(`first login, ${messages} messages: ${each(await login(store, "many"))}`);
  out(`second login: ${each(await login(store, "many"))}`);
  await settle(root, "many");
  out(`third login, folders touched: ${each(await login(store, "many"))}`);
  out(`fourth login, nothing changed: ${each(await login(store, "many"))}`);

  fill(root, "few", 10, "cur");
  await settle(root, "few");
  for (let n = 0; n < 200; n++) await login(store, "few");
  const polls = 2000;
  const polling = await time(async () => {
    for (let n = 0; n < polls; n++) await login(store, "few");
  });
  out(`poll of 10 messages: ${(polling * 1000 / polls).toFixed(0)} µs`);

  fill(root, "drain", 1000, "new");
  const opening = await login(store, "drain");
  const maildrop = await store.acquire("drain");
  const into = new Uint8Array(256 * 1024);
  const reading = await time(async () => {
    for (const message of maildrop.messages) {
      using stored = await maildrop.open(message);
      while (stored.readSync(into) !== null);
      maildrop.retrieved(message);
    }
  });
  const removing = await time(() => maildrop.remove(maildrop.messages));
  const ending = await time(() => maildrop[Symbol.asyncDispose]());
  out(
    `drain of 1000: login ${opening.toFixed(1)} ms, open and read ${reading.toFixed(1)} ms, ` +
      `remove and sync ${removing.toFixed(1)} ms, end ${ending.toFixed(1)} ms`,
  );
} finally {
  Deno.removeSync(root, { recursive: true });
}
