/** Tests what the config file takes, and the sentences about what it does not. */

import { assertEquals, assertThrows } from "@std/assert";
import { SettingError } from "../../lib/settings/errors.ts";
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
