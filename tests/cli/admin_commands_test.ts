/** Tests the table of the admin client's commands: what each says to the server, and how answers are shown. */

import { helpOn } from "../../lib/cli/admin/admin_help.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { adminHelp, parseAdminArguments } from "../../lib/cli/admin/admin_arguments.ts";
import {
  checkArguments,
  chooseAdminCommand,
  holdsSecret,
  lacksPassword,
} from "../../lib/cli/admin/command_line.ts";
import { RefusedError } from "../../lib/msmp_client/errors.ts";
import { json, safe } from "../../lib/terminal/safe_text.ts";
import { sparkline } from "../../lib/terminal/sparkline.ts";
import { table } from "../../lib/terminal/table.ts";
import { topLines, type TopPicture } from "../../lib/cli/admin/top_view.ts";
import { textWidth } from "../../lib/terminal/text_width.ts";
import type { Shown } from "../../lib/cli/admin/views.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";

const anyText = fc.array(fc.integer({ min: 0, max: 0x10ffff }))
  .map((codes) => String.fromCodePoint(...codes));

/** What a typed line says to the server. */
function said(line: string, version: 1 | 2 = 2): string {
  const chosen = chooseAdminCommand(line);
  checkArguments(chosen);
  return chosen.command.request(chosen.argument, version);
}

/** What is shown of an answer. */
function shown(
  line: string,
  text: string,
  lines: readonly string[] = [],
  version: 1 | 2 = 2,
): Shown {
  const { command, argument } = chooseAdminCommand(line);
  return command.view({ ok: true, text, lines }, { version, argument });
}

/** Every row of the table in spec/msmp.md, "The admin client". */
const ROWS: readonly (readonly [typed: string, said: string])[] = [
  ["add user bob s3cret", "ADD bob s3cret"],
  ["add user bob  two words ", "ADD bob  two words "],
  ["passwd bob s3cret", "ADD bob s3cret"],
  ["delete user bob", "DELE bob"],
  ["users", "LIST"],
  ["list", "LIST"],
  ["list bob", "LIST bob"],
  ["set timeout 5", "SET timeout 5"],
  ["set max connections 5", "SET max_connections 5"],
  ["set max connections per ip 5", "SET max_connections_per_ip 5"],
  ["set transformer tr -d x", "SET transformer tr -d x"],
  ["get max connections", "GET max_connections"],
  ["get nope", "GET nope"],
  ["maildir", "GET maildir"],
  ["timeout", "GET timeout"],
  ["transformer", "GET transformer"],
  ["max connections", "GET max_connections"],
  ["max connections per ip", "GET max_connections_per_ip"],
  ["max connections 9", "SET max_connections 9"],
  ["stat", "STAT"],
  ["stat pop3.logins", "STAT pop3.logins"],
  ["current connections amount", "STAT pop3.sessions.active"],
  ["all time connection amount", "STAT pop3.connections"],
  ["all time logged amount", "STAT pop3.logins"],
  ["retrieved bytes", "STAT pop3.bytes.sent"],
  ["retrieved emails", "STAT pop3.messages.retrieved"],
  ["removed emails amount", "STAT pop3.messages.deleted"],
  ["current logged users", "SESSIONS"],
  ["logs bob", "LOGS bob"],
  ["logs bob 5", "LOGS bob 5"],
  ["sessions", "SESSIONS"],
  ["kick 7", "KICK 7"],
  ["capa", "CAPA"],
  // Any MSMP command as it is.
  ["ADD user pw", "ADD user pw"],
  ["add bob pw", "ADD bob pw"],
  ["DELE bob", "DELE bob"],
  ["KEY ADD bob my phone", "KEY ADD bob my phone"],
  ["ADMIN LIST", "ADMIN LIST"],
  ["unban 192.0.2.7", "UNBAN 192.0.2.7"],
  ["NOOP", "NOOP"],
  ["NEWER thing", "NEWER thing"],
  ["  Users ", "LIST"],
  ["max_connections", "GET max_connections"],
  ["max_connections 5", "SET max_connections 5"],
];

Deno.test("every row of the admin client's table says what it must", () => {
  for (const [line, wanted] of ROWS) assertEquals(said(line), wanted, line);
});

Deno.test("what is missing or too much is said before the server is asked", () => {
  for (const line of ["add user", "delete user", "set", "set timeout", "get", "kick", "users x"]) {
    assertThrows(() => said(line), UsageError, undefined, line);
  }
  assertThrows(() => said("usres"), UsageError, "did you mean users?");
  assertThrows(
    () => said("current"),
    UsageError,
    "expected current connections amount, current logged users",
  );
  assertThrows(() => said("STLS"), UsageError);
  assert(lacksPassword(chooseAdminCommand("add user bob")));
  assert(!lacksPassword(chooseAdminCommand("add user bob pw")));
});

Deno.test("help knows a key however its words are joined", () => {
  assertEquals(helpOn("max_connections_per_ip"), helpOn("max connections per ip"));
  assert(helpOn("max_connections")?.includes("max connections [value]"));
  assertEquals(helpOn("no_such_key"), undefined);
});

Deno.test("version 1 is asked only what it knows", () => {
  assertEquals(said("stat pop3.logins", 1), "STAT");
  assertEquals(said("retrieved bytes", 1), "STAT");
  for (const line of ["sessions", "current logged users", "key list bob", "settings"]) {
    assertThrows(() => said(line, 1), RefusedError, "version 1", line);
  }
  const lines = [
    "Total connections:          4",
    "Historical maximum traffic: 2",
    "Total transferred bytes:    9",
  ];
  assertEquals(shown("retrieved bytes", "", lines, 1).text, "9");
  assertEquals(shown("all time connection amount", "", lines, 1).json, {
    name: "pop3.connections",
    value: 4,
  });
  assertThrows(() => shown("retrieved emails", "", lines, 1), RefusedError);
});

Deno.test("lines that hold a password are known", () => {
  for (
    const line of ["add user bob pw", "ADD bob pw", "admin add x y", "PASS x", "ad user bob pw"]
  ) {
    assert(holdsSecret(line), line);
  }
  for (const line of ["add user bob", "users", "list bob", "set timeout 5", "usres"]) {
    assert(!holdsSecret(line), line);
  }
});

Deno.test("answers are shown for people and for programs", () => {
  assertEquals(shown("max connections", "70"), {
    text: "70",
    json: { key: "max_connections", value: "70" },
  });
  assertEquals(shown("list bob", "", ["bob 3 logs"]).json, { user: "bob", logs: 3 });
  assertEquals(shown("stat", "", ["a: 5", "b.bytes: 12345"]), {
    text: "a            5\nb.bytes  12345  (12.3 kB)",
    json: { a: 5, "b.bytes": 12345 },
  });
  const session = "s1 al\\x20ice 192.0.2.7 - transaction 2026-01-31T12:00:00Z 1500 -";
  assertEquals(shown("current logged users", "", [session, session]), {
    text: "1\nal ice",
    json: { count: 1, users: ["al ice"] },
  });
  assertStringIncludes(shown("sessions", "", [session]).text, "1.5 kB");
  assertEquals(shown("settings", "", ["maildir: ./my (old) mail (set)"]).json, [
    { key: "maildir", value: "./my (old) mail", source: "set" },
  ]);
  const access = "2026-01-31 12:00:00 IP: ::1 tls=- mechanism=PLAIN messages=2 ending=quit";
  assertEquals(shown("logs bob", "", [access]).json, [{
    time: "2026-01-31 12:00:00",
    address: "::1",
    tls: "-",
    mechanism: "PLAIN",
    messages: 2,
    ending: "quit",
  }]);
  assertEquals(
    shown("logs bob", "", ["2026-01-31 12:00:00 IP: ::1"]).text,
    "2026-01-31 12:00:00 IP: ::1",
  );
});

Deno.test("nothing a server sends reaches the terminal as a control", () => {
  const evil = "\x1b]0;x\x07\x9b2J\u202e";
  for (const [line] of ROWS) {
    const { text, json: value } = (() => {
      try {
        return shown(line, evil, [`${evil}: ${evil}`, `pop3.logins: ${evil}`]);
      } catch (error) {
        if (error instanceof RefusedError) return { text: "", json: "" };
        throw error;
      }
    })();
    const all = text + json(value);
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    assert(!/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/.test(all), `${line}: ${JSON.stringify(all)}`);
  }
  fc.assert(fc.property(anyText, (text) => {
    assert(!/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(safe(text)));
    if (text.isWellFormed()) assertEquals(JSON.parse(json(text)), text);
  }));
});

Deno.test("a table is aligned, whatever the width of its characters", () => {
  assertEquals(
    table([["日本", "5"], ["a", "12345"]], { titles: ["N", "V"], right: [1] }),
    "N         V\n日本      5\na     12345",
  );
  assertEquals(table([]), "");
});

Deno.test("a sparkline shows the newest at the right", () => {
  assertEquals(sparkline([0, 1, 4, 8], 6), "   ▁▄█");
  assertEquals(sparkline([9, 1, 2], 2), "▄█");
  assertEquals(sparkline([], 3), "   ");
});

Deno.test("the live view fits every terminal, and shows no control of a client", () => {
  const session = {
    id: "1",
    user: "ali\x1b[2Jce",
    address: "192.0.2.7",
    tls: "-",
    state: "transaction",
    since: "2026-01-31T12:00:00Z",
    bytes: 5000,
    lastCommand: "日本",
  };
  const picture: TopPicture = {
    place: "127.0.0.1:4321",
    now: Date.parse("2026-01-31T12:01:05Z"),
    figures: new Map([["pop3.sessions.active", 30], ["pop3.bytes.sent", 1e9]]),
    minutes: new Map([["pop3.logins", Array.from({ length: 60 }, (_, at) => at)]]),
    sessions: Array.from({ length: 30 }, () => session),
    notice: "lost\x1b",
  };
  for (const columns of [1, 20, 80, 200]) {
    for (const rows of [1, 5, 12, 24, 100]) {
      const lines = topLines(picture, { columns, rows });
      assert(lines.length <= rows);
      for (const line of lines) {
        assert(textWidth(line) <= columns, `${columns}: ${line}`);
        // deno-lint-ignore no-control-regex -- control characters are what is looked for
        assert(!/[\x00-\x1f\x7f-\x9f]/.test(line));
      }
    }
  }
  const lines = topLines(picture, { columns: 100, rows: 24 });
  assertStringIncludes(lines.join("\n"), "1 min 5 s");
  assertEquals(lines.at(-1), "… 17 more sessions");
});

Deno.test("flags of the admin client", () => {
  const read = (line: string) => parseAdminArguments(line.split(" "));
  assertEquals(read("users").port, 4321);
  assertEquals(read("users").host, "127.0.0.1");
  const lines = (line: string) =>
    read(line).commands.map((each) => each.kind === "line" ? each.line : `-n ${each.user}`);
  for (const line of ["-L ::1 -P 5 users", "-a ::1 -p 5 users", "users -a [::1] -p=5"]) {
    const { host, port } = read(line);
    assertEquals([host, port, ...lines(line)], ["::1", 5, "users"], line);
  }
  for (
    const line of [
      "-address ::1 -port 5 -user root -pass x:y users",
      "-address=::1 -port=5 -user=root -pass=x:y users",
      "users -pass x:y -user root -port 5 -address ::1",
    ]
  ) {
    const { host, port, user } = read(line);
    assertEquals([host, port, user, ...lines(line)], ["::1", 5, "root:x:y", "users"], line);
  }
  assertEquals(lines("-m"), ["stat"]);
  assertEquals(lines("-m pop3.logins -p 7"), ["stat pop3.logins"]);
  assertEquals(lines("-n bob:pw -d ./m -m -n amy:pw -m pop3.logins -port 7"), [
    "-n bob:pw",
    "set maildir ./m",
    "stat",
    "-n amy:pw",
    "stat pop3.logins",
  ]);
  assertEquals(read("-m pop3.logins -p 7").port, 7);
  assertEquals(lines("-d ./m"), ["set maildir ./m"]);
  assertEquals(lines("set transformer tr -d x --json"), ["set transformer tr -d x"]);
  assertEquals(lines("add user bob -pass"), ["add user bob -pass"]);
  assertEquals(read("set transformer tr -d x --json").json, true);
  assertEquals(lines("add user bob -p"), ["add user bob -p"]);
  assertEquals(read("logs alice --json -p 7").json, true);
  assertEquals(read("logs alice -p 7").port, 7);
  assertEquals(lines("history pop3.logins 2 --hours --csv"), ["history pop3.logins 2 hours"]);
  assertEquals(lines("trace 127.0.0.1 --bodies"), ["trace 127.0.0.1 bodies"]);
  for (
    const line of [
      "-p 0 users",
      "-p 65536 users",
      "-p x",
      "-a a/b",
      "-a x -L y",
      "-p",
      "--nope",
      "-n a:b users",
      "-pass x users",
      "--bodies users",
      "users --hours",
      "-user a:b -pass x users",
    ]
  ) {
    assertThrows(() => read(line), UsageError, undefined, line);
  }
  for (const line of adminHelp().split("\n")) assert(line.length <= 110, line);
});
