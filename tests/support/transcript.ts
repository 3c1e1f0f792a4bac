/** Reads transcripts: protocol sessions written as `C:` and `S:` lines, as in the RFCs. Syntax: tests/transcripts/README.md. */

import type { Layout } from "./mailboxes.ts";

/** A message of a mailbox, told by what makes it. */
export interface MessageRecipe {
  readonly kind: "octets" | "text" | "awkward";
  /** Size in octets, escaped text, or the name of an awkward message. */
  readonly value: string;
  readonly name?: string;
  readonly folder?: "new" | "cur" | "tmp";
}

/** A mailbox that a transcript begins with. */
export interface MailboxRecipe {
  /** Path below the mail folder. */
  readonly path: string;
  readonly layout: Layout;
  readonly messages: readonly MessageRecipe[];
}

/** One step of a session; `connection` names which of several. */
export type Step =
  & { readonly line: number; readonly connection: string }
  & (
    | { readonly kind: "send"; readonly bytes: Uint8Array }
    | { readonly kind: "expect"; readonly pattern: string }
    /** A multi-line answer behind its first line: lines that it must and must not hold. */
    | { readonly kind: "holds"; readonly with: string[]; readonly without: string[] }
    /** A multi-line answer that is a message of a mailbox, whole or its top. */
    | {
      readonly kind: "message";
      readonly mailbox: string;
      readonly number: number;
      readonly top?: number;
    }
    | { readonly kind: "end" }
    | { readonly kind: "hang-up" }
    | { readonly kind: "half-close" }
    | { readonly kind: "do"; readonly words: readonly string[] }
  );

/** One session, or several that know of each other. */
export interface Scene {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** A transcript file. */
export interface Transcript {
  readonly title: string;
  readonly users: Readonly<Record<string, string>>;
  readonly flags: readonly string[];
  readonly mailboxes: readonly MailboxRecipe[];
  readonly scenes: readonly Scene[];
}

/**
 * Parses a transcript.
 *
 * @param file name for error messages
 * @throws {SyntaxError} when a line cannot be understood; the message names file and line
 */
export function parseTranscript(text: string, file: string): Transcript {
  const users: Record<string, string> = {};
  const flags: string[] = [];
  const mailboxes: { path: string; layout: Layout; messages: MessageRecipe[] }[] = [];
  const scenes: { name: string; steps: Step[] }[] = [];
  let title = "";
  text.split("\n").forEach((raw, index) => {
    const fail = (why: string): never => {
      throw new SyntaxError(`${file}:${index + 1}: ${why}: ${raw}`);
    };
    if (raw.trim() === "" || raw.startsWith("#")) {
      if (title === "" && raw.startsWith("# ")) title = raw.slice(2);
      return;
    }
    const scene = scenes.at(-1);
    if (raw.startsWith("== ")) {
      scenes.push({ name: raw.slice(3), steps: [] });
    } else if (scene !== undefined) {
      addStep(scene.steps, raw, index + 1, fail);
    } else {
      const [word = "", rest = ""] = splitFirst(raw.trim());
      if (word === "user") {
        const [name = "", password = ""] = splitAt(rest, ":");
        users[name] = new TextDecoder().decode(unescaped(password));
      } else if (word === "flags") {
        flags.push(...rest.split(" "));
      } else if (word === "mailbox") {
        const [path = "", layout = "maildir"] = rest.split(" ");
        if (layout !== "maildir" && layout !== "folder") fail("no such layout");
        mailboxes.push({ path, layout: layout as Layout, messages: [] });
      } else if (word === "message") {
        const mailbox = mailboxes.at(-1) ?? fail("a message outside of a mailbox");
        mailbox.messages.push(messageRecipe(rest) ?? fail("no such message"));
      } else fail("not understood before the first scene");
    }
  });
  return { title, users, flags, mailboxes, scenes };
}

function addStep(
  steps: Step[],
  raw: string,
  line: number,
  fail: (why: string) => never,
): void {
  if (raw.startsWith("! ")) {
    steps.push({ kind: "do", words: raw.slice(2).split(" "), line, connection: "" });
    return;
  }
  const match = raw.match(/^([CS])(?:\((\w+)\))?([:|$/+=-])(?: (.*))?$/);
  if (match === null) fail("not understood");
  const [, side, connection = "", sign, rest = ""] = match!;
  const at = { line, connection };
  const last = steps.at(-1);
  switch (`${side}${sign}`) {
    case "C:":
    case "C|": {
      const bytes = unescaped(sign === ":" ? `${rest}\\r\\n` : rest);
      // Lines said one after the other leave together: that is pipelining.
      if (last?.kind === "send" && last.connection === connection) {
        steps[steps.length - 1] = { ...last, bytes: new Uint8Array([...last.bytes, ...bytes]) };
      } else steps.push({ kind: "send", bytes, ...at });
      return;
    }
    case "C$":
      steps.push({ kind: "hang-up", ...at });
      return;
    case "C/":
      steps.push({ kind: "half-close", ...at });
      return;
    case "S:":
      steps.push({ kind: "expect", pattern: rest, ...at });
      return;
    case "S$":
      steps.push({ kind: "end", ...at });
      return;
    case "S+":
    case "S-": {
      const list = last?.kind === "holds" && last.connection === connection
        ? last
        : { kind: "holds" as const, with: [], without: [], ...at };
      (sign === "+" ? list.with : list.without).push(rest);
      if (list !== last) steps.push(list);
      return;
    }
    case "S=": {
      const [mailbox = "", number = "", top, lines] = rest.split(" ");
      if (!/^\d+$/.test(number)) fail("expected: S= MAILBOX NUMBER [top LINES]");
      steps.push({
        kind: "message",
        mailbox,
        number: Number(number),
        ...(top === "top" ? { top: Number(lines) } : {}),
        ...at,
      });
      return;
    }
    default:
      fail("not understood");
  }
}

/** `120 octets`, `text …`, `awkward …`; before it `name=…`, `cur` or `tmp`. */
export function messageRecipe(text: string): MessageRecipe | undefined {
  const match = text.match(
    /^(?:(cur|new|tmp) )?(?:name=(\S+) )?(?:(\d+) octets|(text|awkward) (.*))$/,
  );
  if (match === null) return undefined;
  const [, folder, name, octets, kind, value] = match;
  return {
    kind: octets !== undefined ? "octets" : kind as "text" | "awkward",
    value: octets ?? value!,
    ...(name !== undefined ? { name } : {}),
    ...(folder !== undefined ? { folder: folder as "cur" | "new" | "tmp" } : {}),
  };
}

/** The octets that an escaped text stands for: `\r \n \t \0 \\ \xHH`, `\{n:text}` for repetition, the rest as UTF-8. */
export function unescaped(text: string): Uint8Array<ArrayBuffer> {
  const repeated = text.replace(
    /\\\{(\d+):([^}]*)\}/g,
    (_, count, part) => part.repeat(Number(count)),
  );
  const out: number[] = [];
  const names: Record<string, number> = { r: 13, n: 10, t: 9, "0": 0, "\\": 92 };
  for (const [part] of repeated.matchAll(/\\x[0-9a-fA-F]{2}|\\.|[^\\]+/gs)) {
    if (part.startsWith("\\x")) out.push(parseInt(part.slice(2), 16));
    else if (part.startsWith("\\")) {
      const octet = names[part[1]!];
      if (octet === undefined) throw new SyntaxError(`No such escape: ${part}`);
      out.push(octet);
    } else for (const octet of new TextEncoder().encode(part)) out.push(octet);
  }
  return new Uint8Array(out);
}

function splitFirst(text: string): string[] {
  return splitAt(text, " ");
}

function splitAt(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
