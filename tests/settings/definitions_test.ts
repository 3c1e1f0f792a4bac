/** Holds every setting's definition against the tables of the specification, and against itself. */

import { assert, assertEquals, assertMatch, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  environmentName,
  flagName,
  settingKey,
  type SettingName,
} from "../../lib/settings/definition.ts";
import {
  definitionOf,
  isLive,
  settingByFlag,
  settingByKey,
  settingNames,
} from "../../lib/settings/definitions.ts";
import { InvalidValueError } from "../../lib/settings/errors.ts";
import { readValue, resolveSettings } from "../../lib/settings/resolve.ts";
import { inputs } from "./inputs.ts";

/** Values that each setting takes, and values that it refuses. */
const samples: Record<SettingName, { good: readonly string[]; bad: readonly string[] }> = {
  listen: {
    good: ["127.0.0.1", "::", "fe80::1%eth0", "localhost", "mail.example.org"],
    bad: ["127.0.0.256", "1.2.3", "127.0.0.1:110", "[::1", "::1::", "a b", "", "-x", "[127.0.0.1]"],
  },
  port: { good: ["0", "1", "110", "65535"], bad: ["65536", "-1", "007", "+5", "1e3", " 5", "5.0"] },
  serverName: { good: ["mail.example.org", "host_1"], bad: ["a b", "", "x\r\ny", "a..b"] },
  greeting: {
    good: ["POP3 ready", "-", "x".repeat(200)],
    bad: ["", " x", "x ", "a\nb", "<1.2@x>", "ü", "x".repeat(201)],
  },
  greetingStyle: { good: ["plain", "friendly"], bad: ["", "Friendly"] },
  mailbox: {
    good: [
      "%d/%n/Maildir",
      "~/Maildir",
      "maildir:~/Maildir:LAYOUT=fs",
      "%{user | domain | lower}/x",
    ],
    bad: ["", "mbox:~/mail", "%x", "a/../b", "%{user | sha1}/x", "x/~/%h", "maildir:"],
  },
  folderSeparator: { good: ["/", "|"], bad: ["", "a", "//", "@"] },
  quota: { good: ["0", "1G", "500M", "1024"], bad: ["", "-1", "1.5G", "1GB", "x"] },
  trash: { good: ["0", "14"], bad: ["", "-1", "x"] },
  deletes: { good: ["allow", "refuse", "keep"], bad: ["", "no"] },
  logDeletes: { good: ["true", "off"], bad: ["", "2"] },
  lmtp: {
    good: ["127.0.0.1:24", "[::1]:0", "unix:/run/lmtp"],
    bad: ["", "unix:", "24", "127.0.0.1", "/run/lmtp"],
  },
  lmtpNetworks: { good: ["10.0.0.0/8"], bad: ["", "x"] },
  maxMessageSize: { good: ["0", "25M"], bad: ["", "many"] },
  homes: { good: ["/home"], bad: ["", "a\0b"] },
  ids: { good: ["keep", "5000:5000"], bad: ["", "vmail", "5000", "-1:0", "1:4294967295"] },
  authHook: {
    good: ["http://127.0.0.1:8080/login", "unix:/run/hook", "/usr/bin/check --fast"],
    bad: ["", " ", "unix:", "http://", "a\nb"],
  },
  authCache: { good: ["0", "60"], bad: ["", "-1"] },
  authHookTimeout: { good: ["1", "300"], bad: ["0", "301"] },
  names: { good: ["exact", "lower"], bad: ["", "upper"] },
  recipientDelimiter: { good: ["+", "-"], bad: ["", "a", "@", "++", "/"] },
  defaultDomain: { good: ["example.org"], bad: ["a/b", "..", "@x", "", ".org"] },
  adminListen: { good: ["127.0.0.1", "::1"], bad: ["everywhere!", "1.2.3.4/8"] },
  adminPort: { good: ["0", "4321"], bad: ["70000", "", "x"] },
  peepListen: { good: ["127.0.0.1", "::1"], bad: ["everywhere!"] },
  peepPort: { good: ["0", "2110"], bad: ["70000"] },
  user: {
    good: ["a:b", "a:b:c", "a@b:@file", "a:@@b", "a: b"],
    bad: ["a", ":b", "a:", "a/b:c", "a:@"],
  },
  admin: { good: ["root:-p"], bad: ["root", "..:x", "a:b\nc"] },
  users: { good: ["./passwd"], bad: ["", "a\0b"] },
  pwdFiles: { good: ["true", "false"], bad: ["maybe"] },
  allowTransformer: { good: ["cat", "/bin/cat"], bad: ["", "a\nb"] },
  transformerFailure: { good: ["reject", "bypass"], bad: ["Reject", "", "maybe"] },
  tlsCert: { good: ["cert.pem"], bad: [""] },
  tlsKey: { good: ["key.pem"], bad: [""] },
  tlsPort: { good: ["0", "995"], bad: ["65536"] },
  tlsPfx: { good: ["both.p12"], bad: [""] },
  tlsPass: { good: ["@file", "-secret", "@@x"], bad: ["", "@"] },
  requireTls: { good: ["true", "false"], bad: ["", "2", "TRUE"] },
  state: {
    good: [
      "./postern.db",
      ":memory:",
      "postgres://postern@db/mail",
      "postgres://p@db1:5433,[::1],db3/mail?schema=a_1&sslmode=require&sslrootcert=/etc/ca.pem",
    ],
    bad: [
      "",
      "postgres://db/mail",
      "postgres://p@db",
      "postgres://p@/mail",
      "postgres://p:secret@db/mail",
      "postgres://p@db:0/mail",
      "postgres://p@db/mail?sslmode=prefer",
      "postgres://p@db/mail?schema=Mail",
      "postgres://p@db/mail?password=x",
    ],
  },
  statePassword: { good: ["@/run/secrets/db", "secret"], bad: ["", "@"] },
  node: { good: ["mail1", "mx-1.example.org"], bad: ["", "Mail1", "a b", "a".repeat(41)] },
  stateWait: { good: ["0", "30"], bad: ["-1", "86401"] },
  backupDir: { good: ["/var/backups"], bad: [""] },
  workers: { good: ["1", "1024"], bad: ["0", "1025"] },
  http: {
    good: ["127.0.0.1:8080", "[::1]:0", "localhost:80"],
    bad: ["8080", ":8080", "::1:8080", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:"],
  },
  proxyProtocol: {
    good: ["10.0.0.0/8", "2001:db8::/32", "0.0.0.0/0", "192.0.2.7/32"],
    bad: [
      "10.0.0.0/33",
      "::/129",
      "10.0.0/8",
      "10.0.0.0/",
      "10.0.0.0/08",
      "10.0.0.0/8/8",
      "host/8",
    ],
  },
  cleartextNetworks: { good: ["127.0.0.0/8"], bad: ["127.0.0.0/-1", ""] },
  grace: { good: ["0", "30", "86400"], bad: ["86401", "1s"] },
  logFormat: { good: ["text", "json"], bad: ["xml", "JSON"] },
  logFile: { good: ["postern.log"], bad: [""] },
  accessLog: { good: ["access.jsonl"], bad: [""] },
  apop: { good: ["true", "false"], bad: ["maybe"] },
  enableLast: { good: ["true", "false"], bad: ["y"] },
  noFlagUpdates: { good: ["true", "false"], bad: ["n"] },
  adminTimeout: { good: ["0", "1", "604800"], bad: ["604801"] },
  oauthIssuer: { good: ["https://id.example"], bad: [""] },
  oauthAudience: { good: ["postern"], bad: [""] },
  oauthJwks: { good: ["keys.json", "https://id.example/keys"], bad: [""] },
  oauthUserClaim: { good: ["email"], bad: [""] },
  config: { good: ["postern.toml"], bad: [""] },
  maildir: { good: ["./mail", "/srv/my mail"], bad: ["", "a\0b", "a\nb"] },
  transformer: { good: ["none", "cat", "sed -e 's/a/b/'"], bad: ["", "  ", "a\nb"] },
  transformerTimeout: { good: ["1", "30"], bad: ["0", "86401"] },
  maxTransformers: { good: ["1"], bad: ["0", "10001"] },
  timeout: { good: ["0", "1", "600", "604800"], bad: ["604801", "-1", "5.0", "1e3", "007"] },
  loginTimeout: { good: ["1", "60"], bad: ["0"] },
  maxConnections: { good: ["1", "998", "1000000"], bad: ["0", "2147483648", "1e400"] },
  maxConnectionsPerIp: { good: ["0", "5"], bad: ["-5"] },
  maxSessionsPerUser: { good: ["1", "3"], bad: ["0"] },
  maxUsers: { good: ["0", "10"], bad: ["ten", "9".repeat(400)] },
  maxMessages: { good: ["0", "10"], bad: ["0x10", "1_000"] },
  maxBadCommands: { good: ["1", "8"], bad: ["0"] },
  loginDelay: { good: ["0", "60"], bad: ["604801"] },
  authDelay: { good: ["0", "1"], bad: ["3601", "0.5"] },
  authDelayMax: { good: ["0", "15"], bad: ["3601"] },
  banFailures: { good: ["0", "20", "1000"], bad: ["1001", "-1"] },
  banWindow: { good: ["0", "600", "86400"], bad: ["86401"] },
  banTime: { good: ["0", "900", "31536000"], bad: ["31536001"] },
  trustedNetworks: { good: ["127.0.0.0/8", "2001:db8::/32"], bad: ["192.0.2.0/33", ""] },
  expire: { good: ["0", "30"], bad: ["36501"] },
  logLevel: { good: ["trace", "debug", "info", "warning", "error"], bad: ["INFO", "verbose"] },
};

for (const name of settingNames) {
  Deno.test(`${settingKey(name)} reads what it shows, and refuses what is no value of it`, () => {
    const { type } = definitionOf(name);
    for (const text of samples[name].good) {
      const value = type.read([text]);
      assertEquals(type.read(type.write(value)), value, text);
    }
    for (const text of samples[name].bad) {
      assertThrows(() => readValue(name, [text], "here"), InvalidValueError, undefined, text);
    }
  });
}

Deno.test("every default is a value of its setting", () => {
  const { settings } = resolveSettings(inputs({}));
  for (const name of settingNames) {
    const { type } = definitionOf(name);
    const texts = type.write(settings[name]);
    if (texts.length > 0) assertEquals(type.read(texts), settings[name], name);
  }
});

Deno.test("the specification's defaults stand", () => {
  const { settings } = resolveSettings(inputs({}));
  assertEquals(settings, {
    listen: [],
    port: 110,
    serverName: "test.example",
    greeting: undefined,
    greetingStyle: "plain",
    proxyProtocol: [],
    http: undefined,
    maildir: "./mail",
    mailbox: undefined,
    homes: [],
    folderSeparator: undefined,
    quota: 0,
    trash: 0,
    deletes: "allow",
    logDeletes: false,
    lmtp: undefined,
    lmtpNetworks: [],
    maxMessageSize: 104_857_600,
    ids: "keep",
    names: "exact",
    authHook: undefined,
    authCache: 60,
    authHookTimeout: 5,
    recipientDelimiter: undefined,
    defaultDomain: undefined,
    expire: 0,
    maxMessages: 0,
    noFlagUpdates: false,
    enableLast: false,
    user: [],
    users: undefined,
    maxUsers: 0,
    loginDelay: 0,
    authDelay: 1,
    authDelayMax: 15,
    backupDir: undefined,
    banFailures: 20,
    banWindow: 600,
    banTime: 900,
    trustedNetworks: [],
    apop: false,
    requireTls: false,
    cleartextNetworks: undefined,
    oauthIssuer: undefined,
    oauthAudience: undefined,
    oauthJwks: undefined,
    oauthUserClaim: "email",
    maxConnections: 1000,
    maxConnectionsPerIp: undefined,
    maxSessionsPerUser: 1,
    maxBadCommands: 8,
    timeout: 600,
    loginTimeout: 60,
    tlsCert: [],
    tlsKey: [],
    tlsPfx: undefined,
    tlsPass: undefined,
    tlsPort: 995,
    transformer: "none",
    allowTransformer: [],
    transformerTimeout: 30,
    transformerFailure: "reject",
    maxTransformers: 4,
    adminListen: ["127.0.0.1", "::1"],
    adminPort: 4321,
    admin: [],
    adminTimeout: 600,
    state: "./postern.db",
    statePassword: undefined,
    node: "test.example",
    stateWait: 30,
    config: undefined,
    workers: 2,
    grace: 30,
    logLevel: "info",
    logFormat: "auto",
    logFile: undefined,
    accessLog: undefined,
    pwdFiles: false,
    peepListen: [],
    peepPort: 2110,
  });
});

Deno.test("the keys of SET are those that the management protocol names", () => {
  const live = settingNames.filter(isLive).map(settingKey);
  assertEquals(
    live.toSorted(),
    ("maildir transformer transformer_timeout max_transformers timeout login_timeout " +
      "max_connections max_connections_per_ip max_sessions_per_user max_users max_messages " +
      "max_bad_commands login_delay auth_delay auth_delay_max expire log_level " +
      "ban_failures ban_window ban_time")
      .split(" ").toSorted(),
  );
});

Deno.test("short flags are those of the specification, each once", () => {
  const letters = settingNames.flatMap((name) => {
    const { letter } = definitionOf(name);
    return letter === undefined ? [] : [`${letter} ${flagName(name)}`];
  });
  assertEquals(letters.toSorted(), [
    "L admin-listen",
    "P admin-port",
    "a admin",
    "d maildir",
    "l listen",
    "p port",
    "t transformer",
    "u user",
  ]);
});

Deno.test("every name leads back to its setting, and fits the protocol's 40 octets", () => {
  for (const name of settingNames) {
    assertEquals(settingByKey(settingKey(name)), name);
    assertEquals(settingByFlag(flagName(name)), name);
    assertMatch(environmentName(name), /^POSTERN_[A-Z_]+$/);
    assert(settingKey(name).length <= 40);
  }
  assertEquals(settingByKey("__proto__"), undefined);
  assertEquals(settingByKey("MAX_USERS"), undefined);
  assertEquals(settingByKey("max-users"), undefined);
});

Deno.test("numbers read every number of their range and show it as it was", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 604_800 }), (number) => {
    assertEquals(readValue("timeout", [String(number)], "here"), number);
    assertEquals(definitionOf("timeout").type.write(number), [String(number)]);
  }));
});

Deno.test("numbers refuse every number outside of their range", () => {
  const outside = fc.oneof(
    fc.bigInt({ min: 604_801n }),
    fc.bigInt({ max: -1n }),
  );
  fc.assert(fc.property(outside, (number) => {
    assertThrows(() => readValue("timeout", [String(number)], "here"), InvalidValueError);
  }));
});

Deno.test("numbers refuse every text but the one plain way to write a number", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    fc.pre(!/^(0|[1-9][0-9]{0,4})$/.test(text));
    assertThrows(() => readValue("timeout", [text], "here"), InvalidValueError);
  }));
});

Deno.test("no text makes a definition throw anything but its own refusal, nor a message of more than a line", () => {
  fc.assert(fc.property(
    fc.constantFrom(...settingNames),
    fc.string({ unit: "binary", maxLength: 300 }),
    (name: SettingName, text: string) => {
      try {
        const value = readValue(name, [text], "here");
        assertEquals(readValue(name, definitionOf(name).type.write(value), "here"), value);
      } catch (error) {
        if (!(error instanceof InvalidValueError)) throw error;
        assert(!/\p{Cc}/u.test(error.message), error.message);
        assert(error.message.length < 300);
      }
    },
  ));
});
