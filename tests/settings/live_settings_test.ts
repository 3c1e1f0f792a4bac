/** Tests settings that change while the server runs. */

import { assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import {
  InvalidValueError,
  NotSettableError,
  SettingError,
  UnknownKeyError,
} from "../../lib/settings/errors.ts";
import {
  type LiveSettingsOptions,
  LiveSettingsRegistry,
  type SettingChange,
} from "../../lib/settings/live_settings.ts";
import { type Given, inputs, toml } from "./inputs.ts";

interface Fixture {
  readonly registry: LiveSettingsRegistry;
  readonly kept: [string, string][];
  readonly told: SettingChange[];
}

function open(given: Given = {}, options: Partial<LiveSettingsOptions> = {}): Fixture {
  const kept: [string, string][] = [];
  const told: SettingChange[] = [];
  const registry = new LiveSettingsRegistry({
    inputs: inputs(given),
    keep: (key, text) => {
      kept.push([key, text]);
      return Promise.resolve();
    },
    ...options,
  });
  registry.onChange((changes) => void told.push(...changes));
  return { registry, kept, told };
}

Deno.test("set changes the value, keeps it, tells listeners, and leaves old snapshots alone", async () => {
  const { registry, kept, told } = open();
  const before = registry.settings;
  const { change, warnings } = await registry.set("max_users", "7");
  assertEquals(change, {
    name: "maxUsers",
    key: "max_users",
    before: "0",
    after: "7",
    source: "set",
  });
  assertEquals(warnings, []);
  assertEquals([before.maxUsers, registry.settings.maxUsers], [0, 7]);
  assertEquals([kept, told], [[["max_users", "7"]], [change]]);
  assertEquals(registry.get("max_users"), "7");
  assertEquals(registry.entries().find(({ key }) => key === "max_users")?.source, "set");
  assertThrows(() => Object.assign(registry.settings, { maxUsers: 8 }), TypeError);
});

Deno.test("set to the value that is in force keeps it and tells nobody", async () => {
  const { registry, kept, told } = open();
  await registry.set("max_users", "0");
  assertEquals([kept, told], [[["max_users", "0"]], []]);
});

Deno.test("set refuses unknown keys, fixed settings and bad values, and changes nothing", async () => {
  const { registry, kept, told } = open();
  const before = registry.settings;
  const cases: readonly [string, string, new (...args: never[]) => SettingError, string][] = [
    ["max_user", "1", UnknownKeyError, 'unknown setting "max_user"; did you mean max_users?'],
    [
      "MAX_USERS",
      "1",
      UnknownKeyError,
      'unknown setting "MAX_USERS"; did you mean max_users?',
    ],
    [
      "max-users",
      "1",
      UnknownKeyError,
      'unknown setting "max-users"; did you mean max_users?',
    ],
    ["", "1", UnknownKeyError, 'unknown setting ""'],
    ["a\r\nb", "1", UnknownKeyError, 'unknown setting "a\\x0d\\x0ab"'],
    [
      "port",
      "1",
      NotSettableError,
      "port cannot change while the server runs: give it at the next start, as --port",
    ],
    [
      "timeout",
      "604801",
      InvalidValueError,
      'timeout "604801": expected a whole number of seconds from 1 to 604800, or 0 (never)',
    ],
    [
      "max_connections",
      "1\x1b[2J",
      InvalidValueError,
      'max_connections "1\\x1b[2J": expected a whole number from 1 to 2147483647',
    ],
  ];
  for (const [key, text, type, message] of cases) {
    assertEquals((await assertRejects(() => registry.set(key, text), type)).message, message);
  }
  assertStrictEquals(registry.settings, before);
  assertEquals([kept, told], [[], []]);
});

Deno.test("get tells every setting but no secret, and refuses unknown keys", () => {
  const { registry } = open({ flags: { user: ["alice:s3cret"], port: ["0"] } });
  assertEquals(registry.get("user"), "alice:(hidden)");
  assertEquals(registry.get("port"), "0");
  assertEquals(registry.get("maildir"), "./mail");
  assertEquals(registry.get("http"), "off");
  assertThrows(() => registry.get("constructor"), UnknownKeyError);
});

Deno.test("checks see the value and the settings to be, and can refuse", async () => {
  const seen: unknown[] = [];
  const { registry, kept } = open({ flags: { allowTransformer: ["cat"] } }, {
    checks: {
      maildir: (value) =>
        Promise.resolve(value === "./none" ? "a folder that can be read" : undefined),
      transformer: (value, settings) => {
        seen.push([value, settings.transformer, settings.allowTransformer]);
        return Promise.resolve(undefined);
      },
    },
  });
  await registry.set("transformer", "cat -n");
  assertEquals(seen, [["cat -n", "cat -n", ["cat"]]]);
  const error = await assertRejects(() => registry.set("maildir", "./none"), InvalidValueError);
  assertEquals(error.message, 'maildir "./none": expected a folder that can be read');
  assertEquals(kept, [["transformer", "cat -n"]]);
  await registry.check();
});

Deno.test("check asks about the values of the start", async () => {
  const { registry } = open({}, {
    checks: { maildir: () => Promise.resolve("a folder that can be read") },
  });
  const error = await assertRejects(() => registry.check(), InvalidValueError);
  assertEquals(error.message, 'maildir "./mail": expected a folder that can be read');
});

Deno.test("a value that cannot be kept does not change, and later changes go on", async () => {
  let broken = true;
  const { registry, told } = open({}, {
    keep: () => broken ? Promise.reject(new Error("disk full")) : Promise.resolve(),
  });
  await assertRejects(() => registry.set("max_users", "7"), Error, "disk full");
  assertEquals([registry.settings.maxUsers, told], [0, []]);
  broken = false;
  await registry.set("max_users", "8");
  assertEquals(registry.settings.maxUsers, 8);
});

Deno.test("changes asked for at once happen in order", async () => {
  const order: string[] = [];
  const release = Promise.withResolvers<void>();
  const { registry } = open({}, {
    keep: async (_key, text) => {
      if (text === "1") await release.promise;
      order.push(text);
    },
  });
  const both = [registry.set("max_users", "1"), registry.set("max_users", "2")];
  release.resolve();
  await Promise.all(both);
  assertEquals([order, registry.settings.maxUsers], [["1", "2"], 2]);
});

Deno.test("set waits for what listeners do, and a disposed listener hears no more", async () => {
  const { registry } = open();
  const heard: number[] = [];
  const subscription = registry.onChange(async (_changes, { maxUsers }) => {
    await Promise.resolve();
    heard.push(maxUsers);
  });
  await registry.set("max_users", "1");
  assertEquals(heard, [1]);
  subscription[Symbol.dispose]();
  await registry.set("max_users", "2");
  assertEquals(heard, [1]);
});

Deno.test("set warns of what is unwise", async () => {
  const { registry } = open();
  assertEquals((await registry.set("timeout", "30")).warnings, [
    "timeout 30 is under 600 seconds, the least that RFC 1939 (section 3) allows",
  ]);
  assertEquals((await registry.set("auth_delay", "20")).warnings, [
    "auth_delay (20) exceeds auth_delay_max (15) and is limited to it",
  ]);
  assertEquals((await registry.set("max_users", "1")).warnings, []);
});

Deno.test("reload takes new values except where SET, flag, kept value or environment win", async () => {
  const { registry, kept, told } = open({
    flags: { maxUsers: ["1"] },
    kept: { max_messages: "2" },
    environment: { POSTERN_TIMEOUT: "700" },
    config: "expire = 3",
  });
  await registry.set("login_delay", "5");
  told.length = 0;
  const { changes, warnings } = await registry.reload(toml(
    "max-users = 10\nmax-messages = 10\ntimeout = 10\nlogin-delay = 10\nexpire = 10\nmax-bad-commands = 10",
  ));
  const { maxUsers, maxMessages, timeout, loginDelay, expire, maxBadCommands } = registry.settings;
  assertEquals(
    [maxUsers, maxMessages, timeout, loginDelay, expire, maxBadCommands],
    [1, 2, 700, 5, 10, 10],
  );
  assertEquals(changes.map(({ key, before, after }) => `${key} ${before} ${after}`), [
    "expire 3 10",
    "max_bad_commands 8 10",
  ]);
  assertEquals(told, [...changes]);
  assertEquals(warnings, []);
  assertEquals(kept, [["login_delay", "5"]]);
  await registry.reload(undefined);
  assertEquals([registry.settings.expire, registry.settings.loginDelay], [0, 5]);
});

Deno.test("SET wins over a flag while the server runs, also after a reload", async () => {
  const { registry } = open({ flags: { maxUsers: ["1"] } });
  await registry.set("max_users", "2");
  await registry.reload(toml("max-users = 3"));
  assertEquals(registry.settings.maxUsers, 2);
});

Deno.test("reload leaves fixed settings as they are, and says so", async () => {
  const { registry } = open({ config: "port = 1110" });
  const { changes, warnings } = await registry.reload(toml("port = 2110\nmax-users = 3"));
  assertEquals(warnings, ["port stays 1110 until the next start, and is 2110 then"]);
  assertEquals(changes.map(({ key }) => key), ["max_users"]);
  await registry.set("max_users", "4");
  assertEquals([registry.settings.port, registry.settings.maxUsers], [1110, 4]);
});

Deno.test("reload of a file with a bad value changes nothing", async () => {
  const { registry } = open({ config: "max-users = 1" }, {
    checks: {
      maildir: (value) => Promise.resolve(value === "./none" ? "a folder" : undefined),
    },
  });
  const before = registry.settings;
  await assertRejects(
    () => registry.reload(toml("max-users = 2\ntimeout = 9999999")),
    InvalidValueError,
    'postern.toml:2: timeout "9999999": expected',
  );
  await assertRejects(
    () => registry.reload(toml('max-users = 2\nmaildir = "./none"')),
    InvalidValueError,
    'maildir "./none": expected a folder',
  );
  assertStrictEquals(registry.settings, before);
});

Deno.test("warnings of the start are not said again at a reload", async () => {
  const { registry } = open({ flags: { timeout: ["30"] } });
  assertEquals(registry.warnings.length, 1);
  assertEquals((await registry.reload(undefined)).warnings, []);
});

Deno.test("a set that cannot be put in force is taken back, kept value and all", async () => {
  const kept = new Map<string, string>();
  const { registry } = open({}, {
    keep: (key, text) => Promise.resolve(void kept.set(key, text)),
    forget: (key) => Promise.resolve(kept.delete(key)),
  });
  let broken = true;
  registry.onChange(() => {
    if (broken) throw new Error("no worker starts");
  });
  await assertRejects(() => registry.set("max_users", "7"), Error, "no worker starts");
  assertEquals([registry.settings.maxUsers, kept.has("max_users")], [0, false]);
  assertEquals(registry.entries().find(({ key }) => key === "max_users")?.source, "default");
  broken = false;
  await registry.set("max_users", "8");
  broken = true;
  await assertRejects(() => registry.set("max_users", "9"), Error, "no worker starts");
  assertEquals([registry.settings.maxUsers, kept.get("max_users")], [8, "8"]);
});
