/** Tests what the config file takes, and the sentences about what it does not. */

import { assertEquals, assertThrows } from "@std/assert";
import { SettingError } from "../../lib/settings/errors.ts";
import { parseConfig } from "../../lib/settings/config_file.ts";
import { toml } from "./inputs.ts";

const refusals: readonly [string, string, string][] = [
  ["bad TOML", "port = 1\nlisten =\n", "postern.toml:2: invalid TOML: invalid value"],
  [
    "a key that stands twice",
    "port = 1\nport = 2",
    "postern.toml:2: invalid TOML: trying to redefine an already defined table or value",
  ],
  [
    "a key in two spellings",
    "max-users = 1\nmax_users = 2",
    'postern.toml:2: "max_users" stands here a second time, spelled otherwise',
  ],
  [
    "a misspelled key",
    "# mine\nmax_user = 1",
    'postern.toml:2: unknown setting "max_user"; did you mean max-users?',
  ],
  ["an unknown key", "xyzzy = 1", 'postern.toml:1: unknown setting "xyzzy"'],
  ["a section", "[server]\nport = 1", 'postern.toml:1: unknown setting "server"'],
  ["a table", "port.x = 1", "postern.toml:1: port is a table; expected an integer"],
  ["text for a number", 'port = "110"', "postern.toml:1: port is a string; expected an integer"],
  ["a fraction", "port = 110.0", "postern.toml:1: port is a float; expected an integer"],
  ["an array of ports", "port = [1]", "postern.toml:1: port is an array; expected an integer"],
  ["a number for text", "maildir = 5", "postern.toml:1: maildir is an integer; expected a string"],
  ["text for on or off", 'apop = "yes"', "postern.toml:1: apop is a string; expected a boolean"],
  [
    "a mixed array",
    'listen = ["::1", 5]',
    "postern.toml:1: listen is an array; expected an array of strings",
  ],
  [
    "a number for a list",
    "listen = 5",
    "postern.toml:1: listen is an integer; expected a string or an array of strings",
  ],
  [
    "itself",
    'config = "x"',
    "postern.toml:1: config cannot stand in the config file; give it as --config or POSTERN_CONFIG",
  ],
  ["a prototype", "__proto__ = 1", 'postern.toml:1: unknown setting "__proto__"'],
];
for (const [what, source, message] of refusals) {
  Deno.test(`the config file refuses ${what}, naming file and line`, () => {
    assertEquals(assertThrows(() => toml(source), SettingError).message, message);
  });
}

Deno.test("the config file takes dashes and underscores, numbers, texts, booleans and arrays", () => {
  const { entries } = toml(
    '\ufeffmax-users = 1_000\r\nmax_messages = 5\r\napop = true\r\n"user" = ["a:b", \'c:d\']\r\n',
  );
  assertEquals(
    [...entries].map(([name, { texts, place }]) => [name, texts, place]),
    [
      ["maxUsers", ["1000"], "postern.toml:1"],
      ["maxMessages", ["5"], "postern.toml:2"],
      ["apop", ["true"], "postern.toml:3"],
      ["user", ["a:b", "c:d"], "postern.toml:4"],
    ],
  );
});

Deno.test("the config file may be empty", () => {
  assertEquals(toml("# nothing\n").entries.size, 0);
});

const jsonRefusals: readonly [what: string, source: string, message: string, name?: string][] = [
  [
    "bad JSON",
    '{\n"port": 1,\n"listen": x\n}',
    "postern.json:3: invalid JSON: expected a value",
  ],
  ["an unended object", '{\n"port": 1\n', "postern.json:3: invalid JSON: expected a comma or }"],
  [
    "comments",
    "// mine\n{}",
    "postern.json:1: invalid JSON: comments need a file name that ends in .jsonc",
  ],
  ["a comma behind the last item", '{"port": 1,}', "postern.json:1: invalid JSON: "],
  [
    "a string that goes over a line",
    '{"maildir": "a\nb"}',
    "postern.json:1: invalid JSON: expected a closing",
  ],
  ["deep brackets", `{"port":${"[".repeat(99)}`, "postern.json:1: invalid JSON: too many levels"],
  ["a second object", "{}\n{}", "postern.json:2: invalid JSON: expected nothing behind the object"],
  ["no object", "[1]", "postern.json:1: invalid JSON: expected an object with settings"],
  [
    "a key that stands twice",
    '{"port": 1,\n"p\\u006frt": 2}',
    'postern.json:2: invalid JSON: "port" is given twice',
  ],
  [
    "a misspelled key",
    '{\n"max_user": 1}',
    'postern.json:2: unknown setting "max_user"; did you mean max-users?',
  ],
  ["an object", '{"port": {"port": 1}}', "postern.json:1: port is an object; expected an integer"],
  ["a fraction", '{"port": 1.5}', "postern.json:1: port is a fraction; expected an integer"],
  ["null", '{"port": null}', "postern.json:1: port is null; expected an integer"],
  [
    "a mixed array",
    '{"listen": ["::1", 5]}',
    "postern.json:1: listen is an array; expected an array of strings",
  ],
  ["an unended comment", "/* {}", "postern.jsonc:1: invalid JSON: ", "postern.jsonc"],
];
for (const [what, source, message, name = "postern.json"] of jsonRefusals) {
  Deno.test(`the config file as JSON refuses ${what}, naming file and line`, () => {
    const error = assertThrows(() => parseConfig(source, name), SettingError);
    assertEquals(error.message.slice(0, message.length), message);
  });
}

Deno.test("the config file may be JSON, or JSON with comments and commas at ends", () => {
  const json =
    '\ufeff{"max-users": 1000, "apop": true,\r\n"user": ["a:b", "c:/*d*/"],"maildir":"//x,]"}';
  const shown = (source: string, name: string): unknown =>
    [...parseConfig(source, name).entries].map(([key, { texts, place }]) => [key, texts, place]);
  assertEquals(shown(json, "x.JSON"), [
    ["maxUsers", ["1000"], "x.JSON:1"],
    ["apop", ["true"], "x.JSON:1"],
    ["user", ["a:b", "c:/*d*/"], "x.JSON:2"],
    ["maildir", ["//x,]"], "x.JSON:2"],
  ]);
  const jsonc =
    '// the server\n{ /* two\nlines */ "port": 110, // POP3\n "listen": ["::1",\n],\n}\n';
  assertEquals(shown(jsonc, "x.jsonc"), [["port", ["110"], "x.jsonc:3"], [
    "listen",
    ["::1"],
    "x.jsonc:4",
  ]]);
  assertEquals(parseConfig("{}", "x.json").entries.size, 0);
});
