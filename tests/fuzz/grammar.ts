/** What the fuzzer says: lines that are right, nearly right, and not right at all. Each line is octets with its line end. */

import { octetsOf } from "../support/awkward_messages.ts";
import type { Chance } from "../support/chance.ts";

/** Stands in much of what is said, and nowhere in what the server knows, so that an echo is found. */
export const MARKER = "Zq7xEchoZq7x";

/** Users that exist in the fuzzed program. */
export const FUZZ_USERS: readonly string[] = Array.from({ length: 8 }, (_, at) => `fuzz${at}`);
/** The password of all of them. */
export const FUZZ_PASSWORD = "pass with blanks";

const KEYWORDS = [
  ..."CAPA USER PASS APOP AUTH UTF8 LANG NOOP STAT LIST RETR DELE RSET TOP UIDL LAST".split(" "),
];
const NUMBERS = [
  ..."0 1 2 3 4 5 9 12 20 99 00001 -1 +1 1.5 1e3 0x1 1, 99999999 2147483648 4294967297".split(" "),
  "9007199254740993",
  "18446744073709551617",
  "9".repeat(60),
  "\u0661",
  "1\t",
];
const MECHANISMS = "PLAIN LOGIN SCRAM-SHA-256 SCRAM-SHA-256-PLUS OAUTHBEARER XOAUTH2 CRAM-MD5"
  .split(
    " ",
  );
const WORDS = [
  "",
  " ",
  "*",
  "=",
  ".",
  "..",
  "../fuzz0",
  "%s%n",
  "fuzz0",
  "en",
  "i-default",
  "\0",
  "\r",
  "\x1b[2J",
  "\x7f",
  "\u009b31m",
  "\u202e",
  "\ufeff",
  "\ud7ff",
  "__proto__",
  MARKER,
  `${MARKER}@${MARKER}`,
];

const encode = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

function word(chance: Chance): string {
  const kind = chance.between(0, 9);
  if (kind < 4) return chance.of(NUMBERS);
  if (kind < 8) return chance.of(WORDS);
  return MARKER.repeat(chance.between(1, 25));
}

function anyCase(chance: Chance, text: string): string {
  if (chance.percent(70)) return text;
  return [...text].map((letter) => chance.percent(50) ? letter.toLowerCase() : letter).join("");
}

/** A command as it could be in any phase, with arguments that often fit. */
function command(chance: Chance): string {
  const keyword = chance.of(KEYWORDS);
  const shown = anyCase(chance, keyword);
  if (chance.percent(25)) {
    const words = Array.from({ length: chance.between(0, 3) }, () => word(chance));
    return [shown, ...words].join(chance.percent(90) ? " " : chance.of(["  ", "\t", " \0 "]));
  }
  switch (keyword) {
    case "USER":
      return `${shown} ${chance.percent(50) ? chance.of(FUZZ_USERS) : word(chance)}`;
    case "PASS":
      return `${shown} ${chance.percent(20) ? FUZZ_PASSWORD : word(chance)}`;
    case "APOP":
      return `${shown} ${chance.of(FUZZ_USERS)} ${"0123456789abcdef".repeat(2)}`;
    case "AUTH":
      return auth(chance, shown);
    case "TOP":
      return `${shown} ${chance.of(NUMBERS)} ${chance.of(NUMBERS)}`;
    case "LIST":
    case "UIDL":
      return chance.percent(40) ? shown : `${shown} ${chance.of(NUMBERS)}`;
    case "RETR":
    case "DELE":
      return `${shown} ${chance.of(NUMBERS)}`;
    case "LANG":
      return chance.percent(40) ? shown : `${shown} ${word(chance)}`;
    default:
      return shown;
  }
}

function auth(chance: Chance, shown = "AUTH"): string {
  const mechanism = anyCase(chance, chance.of(MECHANISMS));
  return chance.percent(60) ? `${shown} ${mechanism}` : `${shown} ${mechanism} ${sasl(chance)}`;
}

/** Something that begins an exchange. */
export function exchangeBegins(chance: Chance): Uint8Array {
  return ended(chance, encode(auth(chance)));
}

/** A line of an exchange: often the base64 of something that a mechanism could understand. */
function sasl(chance: Chance): string {
  const user = chance.percent(50) ? chance.of(FUZZ_USERS) : word(chance);
  const pieces = [
    `\0${user}\0${chance.percent(10) ? FUZZ_PASSWORD : MARKER}`,
    `${user}\0${user}\0${word(chance)}`,
    user,
    MARKER,
    `n,,n=${user},r=${MARKER}`,
    `y,a=${user},n=${user},r=${MARKER},x=${MARKER}`,
    `p=tls-unique,,n=${user},r=${MARKER}`,
    `c=biws,r=${MARKER},p=${btoa("p".repeat(32))}`,
    `n,a=${user},\x01auth=Bearer ${MARKER}\x01\x01`,
    `user=${user}\x01auth=Bearer ${MARKER}\x01\x01`,
    "",
  ];
  const base64 = encode(chance.of(pieces)).toBase64();
  switch (chance.between(0, 9)) {
    case 0:
      return chance.of(["*", "=", "", "====", "**", " "]);
    case 1:
      return base64.slice(0, -1);
    case 2:
      return chance.octets(chance.between(0, 300)).toBase64();
    case 3:
      return "QUFB".repeat(chance.between(1, 4000));
    case 4:
      return word(chance);
    default:
      return base64;
  }
}

/** A line for an exchange that waits for one. */
export function exchangeLine(chance: Chance): Uint8Array {
  return ended(chance, encode(sasl(chance)));
}

/** A line for any phase. */
export function anyLine(chance: Chance): Uint8Array {
  const kind = chance.between(0, 99);
  if (kind < 70) return ended(chance, encode(command(chance)));
  if (kind < 78) return ended(chance, encode(sasl(chance)));
  if (kind < 86) return ended(chance, mutated(chance, encode(command(chance))));
  if (kind < 92) return ended(chance, chance.octets(chance.between(0, 300)));
  if (kind < 95) return ended(chance, encode(chance.of(WORDS).repeat(chance.between(1, 40))));
  if (kind < 98) return ended(chance, encode(MARKER.repeat(chance.between(20, 3000))));
  // Around the limits of a command line and of a line in an exchange.
  const limit = chance.of([255, 512, 8192, 12_288]);
  return ended(chance, new Uint8Array(limit - 2 + chance.between(-2, 2)).fill(0x41));
}

/** Some octets changed, dropped or doubled. */
function mutated(chance: Chance, octets: Uint8Array): Uint8Array {
  const changed = [...octets];
  for (let times = chance.between(1, 4); times > 0; times--) {
    const at = chance.between(0, changed.length);
    const kind = chance.between(0, 2);
    if (kind === 0) changed.splice(at, 1);
    else changed.splice(at, kind - 1, chance.between(0, 255));
  }
  return Uint8Array.from(changed);
}

function ended(chance: Chance, line: Uint8Array): Uint8Array {
  const end = chance.percent(90) ? "\r\n" : chance.of(["\n", "\r\r\n", "\r\n\r\n", "\n\n"]);
  return new Uint8Array([...line, ...octetsOf(end)]);
}
