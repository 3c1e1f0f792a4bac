/** Plays transcripts against whatever can be connected to: the program, or the server's parts in this process. */

import { join } from "node:path";
import { AWKWARD_MESSAGES, stuffedForm, wireForm } from "./awkward_messages.ts";
import {
  defaultName,
  deliver,
  type MailboxMessage,
  makeMailbox,
  messageFiles,
  messageOfSize,
} from "./mailboxes.ts";
import { type Pop3Client, printable } from "./pop3_client.ts";
import {
  type MailboxRecipe,
  type MessageRecipe,
  messageRecipe,
  type Scene,
  type Step,
  type Transcript,
  unescaped,
} from "./transcript.ts";
import { eventually } from "./waiting.ts";

/** Where a server keeps which mailboxes it served (docs/decisions/0036). */
const NOTES = ".postern-mailboxes";

/** What a transcript is played against. */
export interface Stage {
  /** The mail folder that it serves; the player fills it. */
  readonly maildir: string;
  /** Connects; the greeting is not read. */
  connect(name: string): Promise<Pop3Client>;
}

/** Plays one scene in fresh mailboxes. Failures name the line of the transcript. */
export async function play(transcript: Transcript, scene: Scene, stage: Stage): Promise<void> {
  for await (const entry of Deno.readDir(stage.maildir)) {
    await Deno.remove(join(stage.maildir, entry.name), { recursive: true });
    // Which users were served is forgotten, not that the folder is the one that the server was started with.
    if (entry.name === NOTES) await Deno.mkdir(join(stage.maildir, NOTES), { mode: 0o700 });
  }
  for (const mailbox of transcript.mailboxes) {
    await makeMailbox(
      join(stage.maildir, mailbox.path),
      mailbox.layout,
      mailbox.messages.map((message, index) => made(message, index + 1, mailbox)),
    );
  }
  const clients = new Map<string, Pop3Client>();
  const bound = new Map<string, string>();
  try {
    for (const step of scene.steps) {
      try {
        await playStep(step, { transcript, stage, clients, bound });
      } catch (error) {
        throw new Error(
          `line ${step.line}, ${scene.name}: ${error instanceof Error ? error.message : error}`,
          { cause: error },
        );
      }
    }
    await settle(transcript, scene, stage, clients);
  } finally {
    for (const client of clients.values()) client[Symbol.dispose]();
  }
}

/** Waits until all sessions of a scene are over, so that the next one finds no lock of this one. */
async function settle(
  transcript: Transcript,
  scene: Scene,
  stage: Stage,
  clients: ReadonlyMap<string, Pop3Client>,
): Promise<void> {
  const hungUp = scene.steps.filter(({ kind }) => kind === "hang-up").map((s) => s.connection);
  for (const [name, client] of clients) {
    if (!hungUp.includes(name)) await client.leave();
  }
  if (hungUp.length === 0) return;
  for (const [user, password] of Object.entries(transcript.users)) {
    await eventually(`the lock of ${user} being free`, async () => {
      using client = await stage.connect("settle");
      await client.send(`UTF8\r\nUSER ${user}\r\nPASS ${password}\r\nQUIT\r\n`);
      const answers = [];
      for (let line = 0; line < 4; line++) answers.push(await client.line());
      await client.leave();
      return !answers[3]!.includes("[IN-USE]");
    });
  }
}

interface Play {
  readonly transcript: Transcript;
  readonly stage: Stage;
  readonly clients: Map<string, Pop3Client>;
  readonly bound: Map<string, string>;
}

async function playStep(step: Step, on: Play): Promise<void> {
  if (step.kind === "do") return await playAction(step.words, on);
  let client = on.clients.get(step.connection);
  if (client === undefined) {
    client = await on.stage.connect(step.connection === "" ? "client" : step.connection);
    on.clients.set(step.connection, client);
  }
  switch (step.kind) {
    case "send":
      return await client.send(step.bytes);
    case "expect": {
      const line = new TextDecoder("latin1").decode(await client.rawLine());
      if (!matches(step.pattern, line, on.bound)) {
        throw new Error(`expected ${step.pattern} and got ${JSON.stringify(line)}`);
      }
      return;
    }
    case "holds": {
      const lines = await client.list();
      const missing = step.with.filter((p) => !lines.some((line) => matches(p, line, on.bound)));
      const unwanted = step.without.filter((p) => lines.some((line) => matches(p, line, on.bound)));
      if (missing.length + unwanted.length > 0) {
        throw new Error(
          `missing: ${missing.join(", ")}; unwanted: ${unwanted.join(", ")}; in: ${lines}`,
        );
      }
      return;
    }
    case "message": {
      const mailbox = on.transcript.mailboxes.find(({ path }) => path === step.mailbox);
      const recipe = mailbox?.messages[step.number - 1];
      if (recipe === undefined) throw new Error(`no message ${step.number} in ${step.mailbox}`);
      let wire = wireForm(bytesOf(recipe));
      if (step.top !== undefined) wire = topOf(wire, step.top);
      return equalOctets(await client.multilineSent(), stuffedForm(wire));
    }
    case "end":
      return await client.ended();
    case "hang-up":
      return client[Symbol.dispose]();
    case "half-close":
      return await client.closeWrite();
  }
}

/** What happens beside the sessions, and what the mailboxes must look like afterwards. */
async function playAction(words: readonly string[], on: Play): Promise<void> {
  const [verb = "", path = "", ...rest] = words;
  const folder = join(on.stage.maildir, path);
  const layout = on.transcript.mailboxes.find((mailbox) => mailbox.path === path)?.layout ??
    "maildir";
  const file = async (number: string | undefined): Promise<string> => {
    const name = (await messageFiles(folder))[Number(number) - 1];
    if (name === undefined) throw new Error(`${path} has no message ${number}`);
    return join(folder, name);
  };
  switch (verb) {
    case "deliver": {
      const [number = "", ...recipe] = rest;
      const parsed = messageRecipe(recipe.join(" "));
      if (parsed === undefined) throw new Error(`no such message: ${recipe.join(" ")}`);
      const name = parsed.name ?? defaultName(Number(number), layout);
      await deliver(folder, layout, { bytes: bytesOf(parsed), name });
      return;
    }
    case "unlink":
      return await Deno.remove(await file(rest[0]));
    case "rename": {
      // What a mail reader on the same machine does when it has shown a message.
      const from = await file(rest[0]);
      const name = from.slice(from.lastIndexOf("/") + 1).replace(/:2,.*$/, "");
      return await Deno.rename(from, join(folder, "cur", `${name}:2,${rest[1] ?? ""}`));
    }
    case "append":
      return await Deno.writeFile(await file(rest[0]), unescaped(rest.slice(1).join(" ")), {
        append: true,
      });
    case "mkdir":
      return await Deno.mkdir(folder, { recursive: true });
    case "symlink":
      return await Deno.symlink(join(on.stage.maildir, rest[0]!), folder);
    case "remains":
      // The files of a mailbox in the end: `new/…` and `cur/…` by their numbers, flags behind.
      return await remains(folder, rest);
    default:
      throw new Error(`no such action: ${verb}`);
  }
}

/** Waits until a mailbox holds exactly these: `new:1`, `cur:2:S`, `3` (a plain folder); numbers as {@linkcode defaultName} counts. */
async function remains(folder: string, expected: readonly string[]): Promise<void> {
  const told = async (): Promise<string> =>
    (await messageFiles(folder)).map((file) => {
      const at = file.lastIndexOf("/");
      const [name = "", flags] = file.slice(at + 1).split(":2,");
      const number = Number(name.match(/^\d+/)?.[0] ?? NaN) % 1_700_000_000;
      const where = at < 0 ? "" : `${file.slice(0, at)}:`;
      return `${where}${number}${flags ? `:${flags}` : ""}`;
    }).join(" ");
  await eventually(
    `the mailbox holding [${expected.join(" ")}]`,
    async () => await told() === expected.join(" "),
    told,
    5_000,
  );
}

function made(recipe: MessageRecipe, number: number, mailbox: MailboxRecipe): MailboxMessage {
  return {
    bytes: bytesOf(recipe),
    name: recipe.name ?? defaultName(number, mailbox.layout),
    ...(recipe.folder !== undefined ? { folder: recipe.folder } : {}),
  };
}

function bytesOf(recipe: MessageRecipe): Uint8Array {
  switch (recipe.kind) {
    case "octets":
      return messageOfSize(Number(recipe.value));
    case "text":
      return unescaped(recipe.value);
    case "awkward": {
      const bytes = AWKWARD_MESSAGES.get(recipe.value);
      if (bytes === undefined) throw new Error(`no awkward message is called ${recipe.value}`);
      return bytes;
    }
  }
}

/** The header, the empty line and `lines` lines of the body of a wire form (RFC 1939, section 7, TOP). */
function topOf(wire: Uint8Array<ArrayBuffer>, lines: number): Uint8Array<ArrayBuffer> {
  let start = 0;
  let left: number | undefined;
  while (start < wire.length && left !== 0) {
    const end = wire.indexOf(10, start) + 1;
    if (left !== undefined) left--;
    else if (end - start === 2 && wire[start] === 13) left = lines;
    start = end;
  }
  return wire.slice(0, start);
}

/** `*` stands for anything within the line; `<<name>>` for something that is the same wherever the name comes again. */
function matches(pattern: string, line: string, bound: Map<string, string>): boolean {
  const names: string[] = [];
  const source = pattern.split(/(<<\w+>>|\*)/).map((part) => {
    if (part === "*") return ".*";
    const name = part.match(/^<<(\w+)>>$/)?.[1];
    if (name === undefined) return escapeRegExp(part);
    const value = bound.get(name);
    if (value !== undefined) return escapeRegExp(value);
    names.push(name);
    return "(.*)";
  }).join("");
  const match = line.match(new RegExp(`^${source}$`, "s"));
  if (match === null) return false;
  names.forEach((name, index) => bound.set(name, match[index + 1]!));
  return true;
}

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}

function equalOctets(got: Uint8Array, expected: Uint8Array): void {
  const length = Math.min(got.length, expected.length);
  let at = 0;
  while (at < length && got[at] === expected[at]) at++;
  if (at === length && got.length === expected.length) return;
  const near = (bytes: Uint8Array): string =>
    printable(bytes.subarray(Math.max(0, at - 20), at + 40));
  throw new Error(
    `octets differ at ${at} (${got.length} got, ${expected.length} expected): ${near(got)} ≠ ${
      near(expected)
    }`,
  );
}
