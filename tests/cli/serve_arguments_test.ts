/** Tests the arguments of `postern serve`, its help, and the choice of a command. */

import { assert, assertEquals, assertMatch, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { chooseCommand, type Command } from "../../lib/cli/commands.ts";
import { parseServeArguments, serveHelp } from "../../lib/cli/serve_arguments.ts";
import { UsageError } from "../../lib/cli/usage_error.ts";
import { flagName } from "../../lib/settings/definition.ts";
import { definitionOf, settingNames } from "../../lib/settings/definitions.ts";

/** The flags of a command line, split at blanks, as `name=value,value`. */
function given(line: string | readonly string[]): string[] {
  const args = typeof line === "string" ? line.split(" ") : line;
  const parsed = parseServeArguments(args);
  if (!("flags" in parsed)) throw new Error(`read as ${parsed.kind}`);
  return [...parsed.flags].map(([name, texts]) => `${name}=${texts.join(",")}`).toSorted();
}

function refusal(line: string): string {
  const args = line === "" ? [] : line.split(" ");
  return assertThrows(() => parseServeArguments(args), UsageError).message;
}

/** Every row of the table in operations.md. */
const rows: readonly [string, string[]][] = [
  ["-l 127.0.0.1 --listen ::1", ["listen=127.0.0.1,::1"]],
  ["-p 1110", ["port=1110"]],
  ["--port=1110", ["port=1110"]],
  ["-p1110", ["port=1110"]],
  ["-p=1110", ["port=1110"]],
  ["--server-name mail.example", ["serverName=mail.example"]],
  ["--default-domain example.org", ["defaultDomain=example.org"]],
  ["-L ::1 -P 4322", ["adminListen=::1", "adminPort=4322"]],
  ["--admin-listen ::1 --admin-port 1", ["adminListen=::1", "adminPort=1"]],
  ["-u a:b -u c:@d --user=e:f=g", ["user=a:b,c:@d,e:f=g"]],
  ["-a root:x --admin r:y", ["admin=root:x,r:y"]],
  ["--users passwd", ["users=passwd"]],
  ["-t cat -d ./m", ["maildir=./m", "transformer=cat"]],
  ["--transformer=cat --maildir=m", ["maildir=m", "transformer=cat"]],
  ["--allow-transformer cat --allow-transformer sed", ["allowTransformer=cat,sed"]],
  ["--transformer-failure bypass", ["transformerFailure=bypass"]],
  ["--tls-cert c --tls-key k --tls-port 1995", ["tlsCert=c", "tlsKey=k", "tlsPort=1995"]],
  ["--tls-pfx f --tls-pass @p", ["tlsPass=@p", "tlsPfx=f"]],
  ["--require-tls --apop", ["apop=true", "requireTls=true"]],
  ["--apop=false", ["apop=false"]],
  ["--enable-last --no-flag-updates", ["enableLast=true", "noFlagUpdates=true"]],
  ["--no-flag-updates=false", ["noFlagUpdates=false"]],
  ["--state :memory: --workers 2", ["state=:memory:", "workers=2"]],
  ["--http 127.0.0.1:8080", ["http=127.0.0.1:8080"]],
  ["--proxy-protocol 10.0.0.0/8", ["proxyProtocol=10.0.0.0/8"]],
  ["--cleartext-networks 10.0.0.0/8", ["cleartextNetworks=10.0.0.0/8"]],
  ["--grace 5 --log-level debug", ["grace=5", "logLevel=debug"]],
  ["--log-format json --log-file f", ["logFile=f", "logFormat=json"]],
  ["--config postern.toml", ["config=postern.toml"]],
  ["--max-connections 998 --auth-delay 0", ["authDelay=0", "maxConnections=998"]],
  ["-p -1", ["port=-1"]],
  ["-u -p:x", ["user=-p:x"]],
  ["--tls-pass=--secret", ["tlsPass=--secret"]],
  ["--tls-pass -secret", ["tlsPass=-secret"]],
  ["--state -", ["state=-"]],
  ["--users=a=b", ["users=a=b"]],
];
for (const [line, flags] of rows) {
  Deno.test(`serve reads ${line}`, () => assertEquals(given(line), flags));
}

const refusals: readonly [string, string][] = [
  ["--prot 1", "unknown flag --prot; did you mean --port?"],
  ["--max_users 1", "unknown flag --max_users; did you mean --max-users?"],
  ["--xyzzy", "unknown flag --xyzzy: expected one of those that -h lists"],
  ["--xyzzy=s3cret", "unknown flag --xyzzy: expected one of those that -h lists"],
  ["--Port 1", "unknown flag --Port; did you mean --port?"],
  ["-x", "unknown flag -x: expected one of those that -h lists"],
  ["-Ua:s3cret", "unknown flag -U: expected one of those that -h lists"],
  ["-port 1", "unknown flag -port; did you mean --port?"],
  ["-p", "-p has no value: expected -p N"],
  ["--port", "--port has no value: expected --port N"],
  ["--port=", "--port has no value: expected --port N"],
  [
    "-p -l ::1",
    "-p has no value: expected -p N; a value that looks like a flag is written -p=VALUE",
  ],
  [
    "--state --apop",
    "--state has no value: expected --state FILE; a value that looks like a flag is written --state=VALUE",
  ],
  [
    "-u --",
    "-u has no value: expected -u NAME:PASS; a value that looks like a flag is written -u=VALUE",
  ],
  ["--apop=", "--apop has no value: expected --apop alone"],
  ["-p 1 --port 2", "--port is given 2 times: expected once"],
  ["--apop --apop", "--apop is given 2 times: expected once"],
  ["mail", 'unexpected argument "mail": expected flags only; see postern serve -h'],
  ["--apop true", 'unexpected argument "true": expected flags only; see postern serve -h'],
  ["-- -p 1", 'unexpected argument "-p": expected flags only; see postern serve -h'],
  ["--print-config=no", "--print-config does not take a value"],
  ["--constructor 1", "unknown flag --constructor: expected one of those that -h lists"],
  ["--__proto__ 1", "unknown flag --__proto__: expected one of those that -h lists"],
  ["--a.b 1", "unknown flag --a.b: expected one of those that -h lists"],
];
for (const [line, message] of refusals) {
  Deno.test(`serve refuses ${line} in one line`, () => assertEquals(refusal(line), message));
}

Deno.test("serve takes no flags at all, and -- with nothing behind it", () => {
  assertEquals([given([]), given(["--"])], [[], []]);
});

Deno.test("every setting's flag takes its value in every way of writing it", () => {
  for (const name of settingNames) {
    const flag = `--${flagName(name)}`;
    const { letter, type } = definitionOf(name);
    if (type.placeholder === "") {
      assertEquals(given([flag]), [`${name}=true`]);
      continue;
    }
    assertEquals(given([flag, "a b=c"]), [`${name}=a b=c`]);
    assertEquals(given([`${flag}=a b=c`]), [`${name}=a b=c`]);
    if (letter !== undefined) assertEquals(given([`-${letter}`, "x"]), [`${name}=x`]);
  }
});

Deno.test("values come through octet for octet, whatever they hold", () => {
  fc.assert(fc.property(fc.array(fc.string({ minLength: 1, unit: "binary" })), (values) => {
    const args: string[] = values.map((value: string) => `--user=${value}`);
    const parsed = parseServeArguments(args);
    if (parsed.kind !== "serve") throw new Error(`read as ${parsed.kind}`);
    assertEquals(parsed.flags.get("user") ?? [], values);
  }));
});

Deno.test("no command line makes anything but flags or a usage error of one line", () => {
  const word = fc.oneof(
    fc.string(),
    fc.string().map((text: string) => `-${text}`),
    fc.string().map((text: string) => `--${text}`),
    fc.constantFrom("--port", "-p", "--", "-", "=", "--=", "-=", "--apop", "--user=a:b"),
  );
  fc.assert(fc.property(fc.array(word), (args) => {
    try {
      parseServeArguments(args);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      assertEquals(error.exitStatus, 2);
      assert(!/\p{Cc}/u.test(error.message), error.message);
    }
  }));
});

Deno.test("-h and -v are answered whatever else stands on the line, --print-config is told", () => {
  assertEquals(parseServeArguments(["--xyzzy", "-h"]).kind, "help");
  assertEquals(parseServeArguments(["--help"]).kind, "help");
  assertEquals(parseServeArguments(["-v"]).kind, "version");
  assertEquals(parseServeArguments(["--version"]).kind, "version");
  assertEquals(parseServeArguments(["--print-config", "-p", "1"]).kind, "print-config");
  assertEquals(parseServeArguments(["-u=-h"]).kind, "serve");
});

Deno.test("help names every flag with its default, and fits 80 columns", () => {
  const help: string = serveHelp();
  for (const line of help.split("\n")) assert(line.length <= 80, line);
  for (const name of settingNames) assertMatch(help, new RegExp(`--${flagName(name)}\\b`));
  assertStringIncludes(help, "-p, --port N ");
  assertStringIncludes(help, "(default: 110; 0: any free port)");
  assertStringIncludes(help, "(default: ./mail)");
  assert(!/[ \t]$/m.test(help));
});

const run = (): Promise<number> => Promise.resolve(0);
const serve: Command = { name: "serve", summary: "the server", run };
const admin: Command = { name: "admin", summary: "the admin client", run };

Deno.test("chooseCommand takes the first command where none is named", () => {
  const commands: [Command, ...Command[]] = [serve, admin];
  assertEquals(chooseCommand([], commands), { command: serve, args: [] });
  assertEquals(chooseCommand(["-p", "1"], commands), { command: serve, args: ["-p", "1"] });
  assertEquals(chooseCommand(["serve", "-h"], commands), { command: serve, args: ["-h"] });
  assertEquals(chooseCommand(["admin", "stat"], commands), { command: admin, args: ["stat"] });
});

Deno.test("chooseCommand refuses a word that names no command", () => {
  const message = (word: string): string =>
    assertThrows(() => chooseCommand([word], [serve, admin]), UsageError).message;
  assertEquals(message("sevre"), 'unknown command "sevre"; did you mean serve?');
  assertEquals(message("xyzzy"), 'unknown command "xyzzy": expected serve, admin or flags');
  assertEquals(message(""), 'unknown command "": expected serve, admin or flags');
});
