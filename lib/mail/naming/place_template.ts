/** Places of mailboxes with variables (`%d/%n/Maildir`, `~/Maildir`, `maildir:~/Maildir:LAYOUT=fs`): read once, made into a path for each user. */

import { quote } from "../../bytes/quote.ts";
import { type PlaceFacts, readVariable, type Variable } from "./place_variables.ts";

/** Where a user's home is if nothing says so. */
const USUAL_HOME = "/home/%n";

/** Folders of a mailbox, which no variable may name. */
const RESERVED: ReadonlySet<string> = new Set(["cur", "new", "tmp"]);

/** A name that a place cannot take, or a home that is none. */
export class PlaceError extends Error {
  override name = "PlaceError";
}

/** A place that was read. */
export interface PlaceTemplate {
  /** As it was given. */
  readonly text: string;
  readonly path: readonly (string | Variable)[];
  /** `INBOX=` of a Dovecot location: used where such a folder is there. */
  readonly inbox: readonly (string | Variable)[] | undefined;
}

/**
 * Reads a place.
 *
 * @throws {SyntaxError} a sentence, when it is none
 */
export function readPlace(text: string): PlaceTemplate {
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(text)) throw new SyntaxError("it holds a control character");
  const format = /^([a-z][a-z0-9_-]*):(.*)$/i.exec(text);
  if (format === null) return { text, path: readParts(text), inbox: undefined };
  if (format[1]!.toLowerCase() !== "maildir") throw refuseFormat(format[1]!);
  const [path = "", ...options] = format[2]!.split(":");
  const inbox = options.find((option) => /^INBOX=/i.test(option))?.slice("INBOX=".length);
  return { text, path: readParts(path), inbox: inbox === undefined ? undefined : readParts(inbox) };
}

function refuseFormat(format: string): SyntaxError {
  return new SyntaxError(
    `${
      quote(`${format}:`)
    } is not a format that is served: only Maildir is. Convert the mail with Dovecot's doveadm sync ` +
      "(dsync), such as doveadm sync -u USER maildir:~/Maildir, and give the Maildir's place",
  );
}

function readParts(text: string): (string | Variable)[] {
  const parts: (string | Variable)[] = [];
  let literal = "";
  const flush = (): void => {
    if (literal !== "") parts.push(literal);
    literal = "";
  };
  let at = 0;
  if (text === "~" || text.startsWith("~/")) {
    parts.push({ text: "~", isHome: true, value: () => "" });
    at = 1;
  }
  while (at < text.length) {
    if (text[at] !== "%") literal += text[at++];
    else if (text[at + 1] === "%") {
      literal += "%";
      at += 2;
    } else {
      const variable = readVariable(text.slice(at));
      if (variable.isHome && at > 0) {
        throw new SyntaxError("the home folder can only begin a mailbox place");
      }
      flush();
      parts.push(variable);
      at += variable.text.length;
    }
  }
  flush();
  const steps = parts.map((part) => typeof part === "string" ? part : "x").join("").split("/");
  if (parts.length === 0 || steps.every((step) => step === "")) {
    throw new SyntaxError("it names no folder");
  }
  if (steps.includes("..")) throw new SyntaxError("it holds ..");
  return parts;
}

/** Whose mailbox. */
export interface PlaceOwner extends PlaceFacts {
  /** The home, where something is known of it; it may hold variables. */
  readonly home: string | undefined;
}

/**
 * Makes a user's path of a place. What variables stand for can neither add a folder nor leave one.
 *
 * @returns a path without empty steps; relative ones are meant to lie below the mail folder
 * @throws {PlaceError} when the place cannot take the name, saying why
 */
export function expandPlace(parts: PlaceTemplate["path"], text: string, owner: PlaceOwner): string {
  let path = "";
  for (const part of parts) {
    if (typeof part === "string") path += part;
    else if (part.isHome) path += homeOf(owner);
    else path += word(part, text, owner);
  }
  const steps = path.split("/").filter((step) => step !== "" && step !== ".");
  const hasVariables = parts.some((part) => typeof part !== "string" && !part.isHome);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f]/.test(path)) {
    throw new PlaceError(`The mailbox place ${quote(path)} holds a control character`);
  }
  if (steps.includes("..")) throw new PlaceError(`The mailbox place ${quote(path)} holds ..`);
  if (hasVariables && RESERVED.has(steps.at(-1) ?? "")) {
    throw new PlaceError(`The mailbox place ${quote(path)} ends with a folder of a mailbox`);
  }
  return `${path.startsWith("/") ? "/" : ""}${steps.join("/")}`;
}

function homeOf(owner: PlaceOwner): string {
  const text = owner.home ?? USUAL_HOME;
  if (!text.startsWith("/")) {
    throw new PlaceError(`The home folder of ${quote(owner.user)} is no absolute path`);
  }
  if (!text.includes("%")) return text;
  let parts;
  try {
    parts = readParts(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new PlaceError(`The home folder of ${quote(owner.user)} is wrong: ${error.message}`);
  }
  if (parts.some((part) => typeof part !== "string" && part.isHome)) {
    throw new PlaceError(`The home folder of ${quote(owner.user)} names itself`);
  }
  return expandPlace(parts, text, owner);
}

function word(variable: Variable, text: string, owner: PlaceOwner): string {
  const value = variable.value(owner);
  const problem = value === ""
    ? "is empty"
    : value.startsWith(".")
    ? "begins with a dot"
    : /[/\0]/.test(value)
    ? "holds a slash"
    : undefined;
  if (problem === undefined) return value;
  throw new PlaceError(
    `The mailbox place ${quote(text)} cannot take the user ${
      quote(owner.user)
    }: ${variable.text} ${problem}`,
  );
}
