/** Tests which of several values of a setting wins, and what is said of values that cannot be. */

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { InvalidValueError, SettingError } from "../../lib/settings/errors.ts";
import { loadConfig } from "../../lib/settings/load_config.ts";
import { printConfig, settingEntries } from "../../lib/settings/print_config.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { type Given, inputs } from "./inputs.ts";

const flag: Given = { flags: { maxUsers: ["1"] } };
const kept: Given = { kept: { max_users: "2" } };
const environment: Given = { environment: { POSTERN_MAX_USERS: "3" } };
const config: Given = { config: "max-users = 4" };

const precedence: readonly [string, Given, number, string][] = [
  ["a flag over everything", { ...flag, ...kept, ...environment, ...config }, 1, "flag"],
  ["a kept value over the environment", { ...kept, ...environment, ...config }, 2, "set"],
  ["the environment over the config file", { ...environment, ...config }, 3, "environment"],
  ["the config file over the default", config, 4, "config"],
  ["the default where nothing is given", {}, 0, "default"],
];
for (const [what, given, value, source] of precedence) {
  Deno.test(`settings take ${what}`, () => {
    const { settings, sources } = resolveSettings(inputs(given));
    assertEquals([settings.maxUsers, sources.get("maxUsers")], [value, source]);
  });
}

function refusal(given: Given): string {
  return assertThrows(() => resolveSettings(inputs(given)), SettingError).message;
}

Deno.test("a flag that overrides a kept value is warned of, an equal one is not", () => {
  assertEquals(resolveSettings(inputs({ ...flag, ...kept })).warnings, [
    "--max-users 1 overrides max_users 2, which was set while the server ran",
  ]);
  assertEquals(resolveSettings(inputs({ ...flag, kept: { max_users: "1" } })).warnings, []);
});

Deno.test("kept values that this version cannot take are left out with a warning", () => {
  const { settings, sources, warnings } = resolveSettings(inputs({
    kept: { max_users: "many", frobnicate: "1", port: "99" },
  }));
  assertEquals([settings.maxUsers, settings.port], [0, 110]);
  assertEquals(sources.get("maxUsers"), "default");
  assertEquals(warnings.toSorted(), [
    'ignoring a saved setting: "frobnicate" is no setting that changes while the server runs',
    'ignoring a saved setting: "port" is no setting that changes while the server runs',
    'ignoring a saved setting: max_users "many": expected a whole number from 1 to 2147483647, or 0 (no limit)',
  ]);
});

Deno.test("refusals name the place, the value, and what was expected", () => {
  const expected = "expected a whole number from 1 to 65535, or 0 (any free port)";
  assertEquals(refusal({ flags: { port: ["70000"] } }), `--port "70000": ${expected}`);
  assertEquals(
    refusal({ environment: { POSTERN_PORT: " 5" } }),
    `POSTERN_PORT " 5": ${expected}`,
  );
  assertEquals(refusal({ config: "\nport = 70000" }), `postern.toml:2: port "70000": ${expected}`);
  assertEquals(
    refusal({ flags: { listen: ["127.0.0.1", "1.2.3"] } }),
    '--listen "1.2.3": expected an IPv4 or IPv6 address or a host name, without a port',
  );
  assertEquals(
    refusal({ flags: { logLevel: ["loud"] } }),
    '--log-level "loud": expected trace, debug, info, warning or error',
  );
});

Deno.test("a refusal of a secret shows nothing of it", () => {
  const error = assertThrows(
    () => resolveSettings(inputs({ flags: { user: ["../x:hunter2"] } })),
    InvalidValueError,
  );
  assertEquals(
    error.message,
    "--user: expected NAME:PASS or NAME:@FILE, with a name that can be a mailbox's",
  );
  assertEquals(Deno.inspect(error).includes("hunter2"), false);
});

Deno.test("repeatable settings are words in the environment and arrays in the config file", () => {
  const words = resolveSettings(
    inputs({ environment: { POSTERN_LISTEN: " 127.0.0.1  ::1 " } }),
  );
  assertEquals(words.settings.listen, ["127.0.0.1", "::1"]);
  const array = resolveSettings(inputs({ config: 'listen = ["[::1]"]\nadmin_listen = "::"' }));
  assertEquals([array.settings.listen, array.settings.adminListen], [["::1"], ["::"]]);
});

Deno.test("a config file's empty list of networks allows a login in clear nowhere", () => {
  const resolved = resolveSettings(inputs({ config: "cleartext-networks = []" }));
  assertEquals(resolved.settings.cleartextNetworks, []);
  const entry = settingEntries(resolved).find(({ name }) => name === "cleartextNetworks");
  assertEquals([entry?.value, entry?.source], ["nowhere", "config"]);
});

Deno.test("an environment variable without text is none, and users come from no variable", () => {
  const { settings } = resolveSettings(inputs({
    environment: { POSTERN_PORT: "", POSTERN_USER: "alice", POSTERN_ADMIN: "root:x" },
  }));
  assertEquals([settings.port, settings.user, settings.admin], [110, [], []]);
});

Deno.test("a timeout under RFC 1939's floor is warned of, 0 and 600 are not", () => {
  const warnings = (text: string): readonly string[] =>
    resolveSettings(inputs({ flags: { timeout: [text] } })).warnings;
  assertEquals(warnings("599"), [
    "timeout 599 is under 600 seconds, the least that RFC 1939 (section 3) allows",
  ]);
  assertEquals([warnings("0"), warnings("600")], [[], []]);
});

Deno.test("settings that contradict each other are refused", () => {
  assertEquals(
    refusal({ flags: { tlsCert: ["a", "b"], tlsKey: ["a"] } }),
    "there are 2 of --tls-cert and 1 of --tls-key: expected a key for every certificate, in the same order",
  );
  assertEquals(
    refusal({ flags: { tlsPass: ["@x"] } }),
    "--tls-pass requires --tls-pfx",
  );
  assertEquals(
    refusal({ flags: { oauthIssuer: ["x"] } }),
    "bearer tokens need --oauth-issuer, --oauth-jwks and --oauth-audience: expected all three, or none",
  );
});

Deno.test("settings that are unwise together are warned of", () => {
  assertEquals(
    resolveSettings(inputs({
      flags: {
        requireTls: ["true"],
        authDelay: ["20"],
      },
    })).warnings,
    [
      "require_tls is on and there is no certificate: nobody can log in; give --tls-cert and --tls-key, or --tls-pfx",
      "auth_delay (20) exceeds auth_delay_max (15) and is limited to it",
    ],
  );
});

Deno.test("printConfig shows key, value and source, and no secret", () => {
  const text: string = printConfig(resolveSettings(inputs({
    flags: { user: ["alice:s3cret:x", "bob:@file"], admin: ["root:@@s3cret"], tlsPfx: ["p"] },
    environment: { POSTERN_TLS_PASS: "s3cret" },
    config: "port = 1110",
    kept: { max_users: "7" },
  })));
  const rows = new Map(
    text.trimEnd().split("\n").map((line) => {
      const [key, value, source] = line.split(/ {2,}/);
      return [key, `${value} ${source}`];
    }),
  );
  assertEquals(rows.get("user"), "alice:(hidden) bob:@file flag");
  assertEquals(rows.get("admin"), "root:(hidden) flag");
  assertEquals(rows.get("tls_pass"), "(hidden) environment");
  assertEquals(rows.get("port"), "1110 config");
  assertEquals(rows.get("max_users"), "7 set");
  assertEquals(rows.get("listen"), "all interfaces, IPv4 and IPv6 default");
  assertEquals(text.includes("s3cret"), false);
});

Deno.test("loadConfig reads the file that flag or environment names, the flag first", async () => {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/a.toml`, "port = 1");
    await Deno.writeTextFile(`${folder}/b.toml`, "port = 2");
    const environment = { POSTERN_CONFIG: `${folder}/b.toml`, POSTERN_PORT: "not looked at" };
    const flags = { config: [`${folder}/a.toml`] };
    const read = async (given: Given): Promise<unknown> =>
      (await loadConfig(inputs(given)))?.entries.get("port")?.texts;
    assertEquals(await read({ flags, environment }), ["1"]);
    assertEquals(await read({ environment }), ["2"]);
    assertEquals(await read({}), undefined);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("loadConfig says why a file cannot be read", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const why = async (path: string): Promise<string> =>
      (await assertRejects(() => loadConfig(inputs({ flags: { config: [path] } })), SettingError))
        .message.replace(folder, "");
    assertEquals(
      await why(`${folder}/x`),
      'the config file "/x" cannot be read: no such file',
    );
    assertEquals(await why(folder), 'the config file "" cannot be read: it is a folder');
    await Deno.writeFile(`${folder}/latin`, new Uint8Array([0x70, 0xff]));
    assertEquals(
      await why(`${folder}/latin`),
      'the config file "/latin" cannot be read: it is not UTF-8',
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
