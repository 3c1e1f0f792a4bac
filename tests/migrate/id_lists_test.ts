// Other servers' lists of unique-ids: the samples of the specification, and what must be refused.
import { assertEquals, assertThrows } from "@std/assert";
import { createHash } from "node:crypto";
import { IdListError } from "../../lib/migrate/id_list.ts";
import { readCourierList } from "../../lib/migrate/formats/courier_list.ts";
import { readDovecotList } from "../../lib/migrate/formats/dovecot_uidlist.ts";
import { listFromNames, readPlainList } from "../../lib/migrate/formats/plain_list.ts";
import {
  DEFAULT_UIDL_FORMAT,
  parseUidlFormat,
  UidlFormatError,
} from "../../lib/migrate/formats/uidl_format.ts";

const standard = parseUidlFormat(DEFAULT_UIDL_FORMAT);
const idsOf = ({ entries }: { entries: readonly { id: string }[] }): string[] =>
  entries.map(({ id }) => id);

/** The specification's sample of version 3. */
const DOVECOT_3 = [
  "3 V1700000000 N6 G0123456789abcdef0123456789abcdef",
  "1 W830 :1699999999.M1P9.mx,S=812",
  "3 PUID17-1650000000 O1 :1699999998.M2P9.mx:2,S",
  "4 P :1699999997.M3P9.mx",
  "5 Gaaaa X9 :a b",
  "7",
].join("\n");

Deno.test("dovecot-uidlist 3: P, empty P, O, unknown letters, and a damaged line", () => {
  const list = readDovecotList(DOVECOT_3, standard);
  assertEquals(idsOf(list), [
    "UID17-1650000000",
    "000000016553f100",
    "1699999997.M3P9.mx",
    "000000056553f100",
  ]);
  assertEquals(list.entries[3]!.name, "a b");
  assertEquals(list.refused, ["line 6: it has no name"]);
});

Deno.test("dovecot-uidlist 1", () => {
  const text = ["1 1700000000 3", "1 1699999999.1.mx:2,S", "2 1699999998.2.mx"].join("\n");
  const list = readDovecotList(text, standard);
  assertEquals(idsOf(list), ["000000016553f100", "000000026553f100"]);
  assertEquals(list.refused, []);
});

Deno.test("courierpop3dsizelist 3: numbers, no uidvalidity, and a name", () => {
  const text = [
    "/3 19 1650000000",
    "1699999999.M1.mx:2,S 830 17:1650000000:0",
    "1699999998.M2.mx 12 18:0:1",
    "a'b 7 0:0:0",
  ].join("\n");
  assertEquals(idsOf(readCourierList(text)), ["UID17-1650000000", "UID18", "a+27b"]);
});

Deno.test("courierpop3dsizelist 2, 1 and without header; a name with blanks", () => {
  assertEquals(idsOf(readCourierList("/2 9 7\na b 5 8:7\n")), ["UID8-7"]);
  assertEquals(readCourierList("/2 9 7\na b 5 8:7\n").entries[0]!.name, "a b");
  assertEquals(idsOf(readCourierList("/1 9\nn1 5 8")), ["UID8"]);
  assertEquals(idsOf(readCourierList("n1 5")), ["n1"]);
  assertEquals(idsOf(readCourierList("a b 5")), ["a+20b"]);
  for (const old of ["/1 9\nn1 5 8", "n1 5"]) assertEquals(readCourierList(old).notes.length, 1);
});

Deno.test("lines that cannot be taken are refused, each with its reason, and the others are taken", () => {
  const text = [
    "3 V7 N9",
    "0 :zero",
    "x :letter",
    "2 :two",
    "2 :again",
    "3 :a/b",
    "4 :a\0b",
    "5 :",
    "6 :six",
    "",
  ].join("\n");
  const list = readDovecotList(text, parseUidlFormat("%u"));
  assertEquals(idsOf(list), ["2", "6"]);
  assertEquals(list.refused, [
    "line 2: its uid is 0",
    "line 3: its uid is not a number",
    "line 5: its uid 2 does not follow 2",
    "line 6: its name holds a slash",
    "line 7: its name holds a NUL",
    "line 8: it has no name",
  ]);
});

Deno.test("headers of other versions and of nothing known refuse the list", () => {
  for (const header of ["2 V1 N1", "4 V1 N1", "", "garbage", "3 N1", "1 x y"]) {
    assertThrows(() => readDovecotList(`${header}\n1 :a\n`, standard), IdListError, "header");
  }
  for (const header of ["/4 1 2", "/x"]) {
    assertThrows(() => readCourierList(`${header}\na 1\n`), IdListError, "header");
  }
});

Deno.test("a list of one's own: name and id a line, comments, names with blanks", () => {
  const list = readPlainList("# ours\r\n1.a:2,S id1\r\na b\tid2\nalone\n\n");
  assertEquals(list.entries.map(({ name, id }) => [name, id]), [["1.a:2,S", "id1"], [
    "a b",
    "id2",
  ]]);
  assertEquals(list.refused, ["line 4: it is not of the form name, blank, id"]);
});

Deno.test("ids of servers that make them from names", () => {
  const names = ["1.a:2,S"];
  assertEquals(idsOf(listFromNames(names, "qmail")), ["1.a"]);
  for (const server of ["tpop3d", "teapop"] as const) {
    assertEquals(idsOf(listFromNames(names, server)), [md5("1.a")]);
  }
});

Deno.test("Dovecot's pop3_uidl_format in both spellings", () => {
  const variables = { uid: 26, uidvalidity: 1700000000, filename: "1.a", guid: "ab" };
  const formats: Record<string, string> = {
    "%08Xu%08Xv": "0000001a6553f100",
    "%08Xv%08Xu": "6553f1000000001a",
    "%v.%u": "1700000000.26",
    "%v-%u": "1700000000-26",
    "%u": "26",
    "%f": "1.a",
    "%Mf": md5("1.a"),
    "%g": "ab",
    "%{uid | hex(8)}%{uidvalidity | hex(8)}": "0000001a6553f100",
    "%{uidvalidity | hex(8)}%{uid|hex(8)}": "6553f1000000001a",
    "%{uidvalidity}.%{uid}": "1700000000.26",
    "%{filename}": "1.a",
    "%{filename | md5}": md5("1.a"),
    "%{guid}": "ab",
  };
  for (const [format, id] of Object.entries(formats)) {
    assertEquals(parseUidlFormat(format)(variables), id, format);
  }
  assertEquals(parseUidlFormat("%g")({ ...variables, guid: undefined }), "1.a");
  for (const format of ["%m", "%{md5}", "%{uid | sha1}", "%Zu", "x", "", "%", "%{uid"]) {
    assertThrows(() => parseUidlFormat(format), UidlFormatError, undefined, format);
  }
});

function md5(text: string): string {
  return createHash("md5").update(text).digest("hex");
}
