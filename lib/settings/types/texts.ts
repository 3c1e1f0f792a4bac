/** Words, names, files and choices as settings. */

import { single, type ValueType } from "./value_type.ts";

// deno-lint-ignore no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/;
const LABEL = "[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?";
const DOMAIN = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);

const isPrintable = (text: string): boolean =>
  text !== "" && !CONTROL.test(text) && text.isWellFormed();

/** Whether a text is a host or domain name of at most 253 octets (RFC 1035, section 2.3.4). */
export function isDomainName(text: string): boolean {
  return text.length <= 253 && DOMAIN.test(text);
}

/** Any text without control characters. */
export function printable(placeholder: string, expected: string): ValueType<string> {
  return single({
    placeholder,
    expected,
    parse: (text) => isPrintable(text) ? text : undefined,
  });
}

/** A file's name. */
export const file: ValueType<string> = printable("FILE", "the name of a file");

/** A folder's name. */
export const folder: ValueType<string> = printable("DIR", "the name of a folder");

/** A name that stands in greetings: no blanks, so that clients find the end of it. */
export const serverName: ValueType<string> = single({
  placeholder: "NAME",
  expected: "a host name",
  parse: (text) => isDomainName(text) ? text : undefined,
});

/** Octets of a greeting's text: a first line has at most 512, APOP's timestamp among them. */
const LONGEST_GREETING = 200;

/** A greeting's text. Clients take what stands in angle brackets for APOP's timestamp (RFC 1939, section 7). */
export const greetingText: ValueType<string> = single({
  placeholder: "TEXT",
  expected: `1 to ${LONGEST_GREETING} printable ASCII characters without < and >`,
  parse: (text) =>
    text.length <= LONGEST_GREETING && /^[!-;=?-~](?:[ -;=?-~]*[!-;=?-~])?$/.test(text)
      ? text
      : undefined,
});

/** A mail domain. */
export const domain: ValueType<string> = single({
  placeholder: "NAME",
  expected: "a domain name, such as example.org",
  parse: (text) => isDomainName(text) ? text.toLowerCase() : undefined,
});

/** One of a few words. */
export function choice<const T extends string>(words: readonly [T, T, ...T[]]): ValueType<T> {
  return single({
    placeholder: words.join("|"),
    expected: `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`,
    parse: (text) => words.find((word) => word === text),
  });
}

const YES: readonly string[] = ["true", "yes", "on", "1"];
const NO: readonly string[] = ["false", "no", "off", "0"];

/** On or off. The flag alone means on. */
export const onOff: ValueType<boolean> = single({
  placeholder: "",
  toml: "boolean",
  expected: "true or false",
  parse: (text) => YES.includes(text) ? true : NO.includes(text) ? false : undefined,
});

/** A program and its arguments, to be split into words as a shell would, or `none`. */
export const commandLine: ValueType<string> = single({
  placeholder: "CMD",
  expected: "a program with its arguments, or none",
  parse: (text) => isPrintable(text) && text.trim() !== "" ? text : undefined,
});

/** A program's name, or the path of one. */
export const program: ValueType<string> = printable("NAME", "the name or the path of a program");

/** One sign that can stand in a user name and separates its parts. */
export const delimiter: ValueType<string> = single({
  placeholder: "CHAR",
  expected: "one punctuation character, such as + or -",
  parse: (text) => /^[-+_=.!#$%^~*|]$/.test(text) ? text : undefined,
});

/** What checks logins: a URL, a socket, or a program with its arguments. */
export const hook: ValueType<string> = single({
  placeholder: "URL|unix:PATH|CMD",
  expected: "an http or https URL, unix: and a path, or a program with its arguments",
  parse: (text) => {
    if (!isPrintable(text) || text.trim() === "" || text === "unix:") return undefined;
    return !/^https?:/i.test(text) || URL.canParse(text) ? text : undefined;
  },
});

/** What separates a user's name from a folder's: a sign that few names hold. */
export const folderSeparator: ValueType<string> = single({
  placeholder: "CHAR",
  expected: "one of the characters / \\ | # %",
  parse: (text) => /^[/\\|#%]$/.test(text) ? text : undefined,
});
