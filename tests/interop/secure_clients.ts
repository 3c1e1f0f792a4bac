/** Real mail clients over TLS, from the first octet and by STLS, and what each is told to do so. */

import { join } from "node:path";
import { machineEnvironment } from "../support/program.ts";
import { within } from "../support/waiting.ts";

/** How a connection becomes secure; `clear` is for mechanisms that need no TLS. */
export type Security = "implicit" | "stls" | "clear";

/** Where a client fetches from. */
export interface SecureAccount {
  readonly security: Security;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** A file with the authority's certificate. */
  readonly ca: string;
  /** How many messages wait there. */
  readonly messages: number;
}

/** A client that checks certificates. */
export interface SecureClient {
  readonly name: string;
  readonly command: string;
  readonly can: readonly Security[];
  /** The mechanism that it is known to log in by when it may choose. */
  readonly mechanism: (security: Security) => string;
  /** Fetches all messages, keeps them, and returns their octets with LF line ends, in any order. */
  fetch(account: SecureAccount, home: string): Promise<string[]>;
}

async function run(
  command: string,
  args: readonly string[],
  home: string,
  input = "",
): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: home,
    clearEnv: true,
    env: { ...machineEnvironment(), HOME: home, LC_ALL: "C", FETCHMAILHOME: home },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const feeding = (async () => {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(input));
    await writer.close();
  })().catch(() => {}); // It may have ended without reading; its status tells.
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within(output, `the end of ${command}`, 300_000);
    const said = new TextDecoder("latin1").decode(stdout);
    if (code !== 0) {
      throw new Error(`${command} ended with ${code}: ${said}${new TextDecoder().decode(stderr)}`);
    }
    return said;
  } catch (error) {
    try {
      child.kill("SIGKILL");
    } catch (late) {
      // It has ended by itself.
      if (!(late instanceof TypeError)) throw late;
    }
    throw error;
  } finally {
    await Promise.all([output, feeding]);
  }
}

/** Configuration files hold passwords, so that clients refuse them unless they are private. */
async function configure(path: string, lines: readonly string[]): Promise<void> {
  await Deno.writeTextFile(path, lines.join("\n") + "\n", { mode: 0o600 });
}

async function texts(folder: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(join(folder, name)));
    found.push(text.replaceAll("\r\n", "\n"));
  }
  return found;
}

const curl: SecureClient = {
  name: "curl",
  command: "curl",
  can: ["implicit", "stls"],
  // It knows SCRAM where it was built with libgsasl, and takes the strongest that it knows.
  mechanism: () => curlKnowsScram() ? "SCRAM-SHA-256" : "PLAIN",
  async fetch({ security, port, user, password, ca, messages }, home): Promise<string[]> {
    await Deno.mkdir(join(home, "out"));
    await run("curl", [
      ...["--silent", "--show-error", "--cacert", ca, "--user", `${user}:${password}`],
      ...(security === "stls" ? ["--ssl-reqd"] : []),
      `${security === "implicit" ? "pop3s" : "pop3"}://localhost:${port}/[1-${messages}]`,
      ...["--output", "out/#1"],
    ], home);
    return await texts(join(home, "out"));
  },
};

/** Whether this curl can do SCRAM. */
export function curlKnowsScram(): boolean {
  const { stdout } = new Deno.Command("curl", { args: ["--version"] }).outputSync();
  return /\bgsasl\b/i.test(new TextDecoder().decode(stdout));
}

const fetchmail: SecureClient = {
  name: "fetchmail",
  command: "fetchmail",
  can: ["implicit", "stls"],
  mechanism: () => "USER",
  async fetch({ security, port, user, password, ca }, home): Promise<string[]> {
    await Deno.mkdir(join(home, "out"));
    await Deno.writeTextFile(join(home, "deliver.sh"), 'cat > "out/$(ls out | wc -l)"\n');
    await configure(join(home, "fetchmailrc"), [
      "set no bouncemail",
      "set invisible",
      `poll localhost service ${port} protocol pop3 auth password user "${user}" password "${password}"`,
      `  ${security === "implicit" ? "ssl" : "sslproto 'TLS1.2+'"} sslcertck sslcertfile "${ca}"`,
      `  keep fetchall no rewrite pass8bits no mimedecode no forcecr mda "sh deliver.sh"`,
    ]);
    const args = ["-f", "fetchmailrc", "--pidfile", join(home, "pid"), "--nodetach"];
    await run("fetchmail", args, home);
    return await texts(join(home, "out"));
  },
};

const mpop: SecureClient = {
  name: "mpop",
  command: "mpop",
  can: ["implicit", "stls", "clear"],
  // Under TLS it holds a plain password to be safe enough.
  mechanism: (security) => security === "clear" ? "SCRAM-SHA-256" : "PLAIN",
  fetch: (account, home) => mpopFetch(account, home, "on"),
};

/** mpop, told to use SCRAM under TLS, too. */
const mpopScram: SecureClient = {
  ...mpop,
  name: "mpop by SCRAM-SHA-256",
  mechanism: () => "SCRAM-SHA-256",
  fetch: (account, home) => mpopFetch(account, home, "scram-sha-256"),
};

async function mpopFetch(account: SecureAccount, home: string, auth: string): Promise<string[]> {
  const { security, port, user, password, ca } = account;
  for (const folder of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(home, "inbox", folder), { recursive: true });
  }
  await configure(join(home, "mpoprc"), [
    ...["account test", "host localhost", `port ${port}`, `user ${user}`, `password ${password}`],
    ...["received_header off", "keep on", `auth ${auth}`, `uidls_file ${join(home, "uidls")}`],
    ...security === "clear"
      ? ["tls off"]
      : ["tls on", `tls_starttls ${security === "stls" ? "on" : "off"}`, `tls_trust_file ${ca}`],
    `delivery maildir ${join(home, "inbox")}`,
  ]);
  await run("mpop", ["-C", "mpoprc", "--quiet", "test"], home);
  return await texts(join(home, "inbox", "new"));
}

const getmail: SecureClient = {
  name: "getmail6",
  command: "getmail",
  // It has no STLS for POP3.
  can: ["implicit"],
  mechanism: () => "USER",
  async fetch({ port, user, password, ca }, home): Promise<string[]> {
    const inbox = join(home, "inbox");
    for (const folder of ["cur", "new", "tmp"]) {
      await Deno.mkdir(join(inbox, folder), { recursive: true });
    }
    const root = (await run("id", ["-u"], home)).trim() === "0";
    if (root) {
      // It does not deliver as root, so somebody else must be able to.
      await Deno.chmod(home, 0o755);
      await run("chown", ["-R", "nobody", inbox], home);
    }
    await configure(join(home, "getmailrc"), [
      ...["[retriever]", "type = SimplePOP3SSLRetriever", "server = localhost", `port = ${port}`],
      ...[`username = ${user}`, `password = ${password}`, `ca_certs = ${ca}`],
      ...["[destination]", "type = Maildir", `path = ${inbox}/`],
      ...(root ? ["user = nobody"] : []),
      ...["[options]", "delivered_to = false", "received = false", "read_all = true"],
      "delete = false",
    ]);
    await run("getmail", [`--getmaildir=${home}`, "--rcfile=getmailrc", "--quiet"], home);
    const found = await texts(join(inbox, "new"));
    return found.map((text) => text.replace("Return-Path: <unknown>\n", ""));
  },
};

const POPLIB = `
import poplib, ssl, sys
security, port, user, password, ca = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if security == "implicit":
    session = poplib.POP3_SSL("localhost", int(port), timeout=20, context=context)
else:
    session = poplib.POP3("localhost", int(port), timeout=20)
    session.stls(context=context)
session.user(user)
session.pass_(password)
for number in range(1, session.stat()[0] + 1):
    with open(f"out/{number}", "wb") as file:
        file.write(b"".join(line + b"\\n" for line in session.retr(number)[1]))
session.quit()
`;

const poplib: SecureClient = {
  name: "Python's poplib",
  command: "python3",
  can: ["implicit", "stls"],
  mechanism: () => "USER",
  async fetch({ security, port, user, password, ca }, home): Promise<string[]> {
    await Deno.mkdir(join(home, "out"));
    // Version managers look for Python below the real home.
    const real = machineEnvironment().HOME ?? home;
    await Deno.writeTextFile(join(home, "fetch.py"), POPLIB);
    await run("env", [
      `HOME=${real}`,
      ...["python3", "fetch.py", security, String(port), user, password, ca],
    ], home);
    return await texts(join(home, "out"));
  },
};

const openssl: SecureClient = {
  name: "openssl s_client",
  command: "openssl",
  can: ["implicit", "stls"],
  mechanism: () => "USER",
  async fetch({ security, port, user, password, ca, messages }, home): Promise<string[]> {
    const retrievals = Array.from({ length: messages }, (_, at) => `RETR ${at + 1}\r\n`);
    const said = await run(
      "openssl",
      [
        ...["s_client", "-quiet", "-connect", `localhost:${port}`, "-CAfile", ca],
        ...["-verify_return_error", "-verify_hostname", "localhost"],
        ...(security === "stls" ? ["-starttls", "pop3"] : []),
      ],
      home,
      `USER ${user}\r\nPASS ${password}\r\n${retrievals.join("")}QUIT\r\n`,
    );
    return said.split(/^\+OK \d+ octets\r\n/m).slice(1).map((part) =>
      part.replace(/^\.\r\n[^]*/m, "").replaceAll("\r\n", "\n").replaceAll(/^\.\./gm, ".")
    );
  },
};

/** All clients that are tried over TLS. */
export const SECURE_CLIENTS: readonly SecureClient[] = [
  curl,
  fetchmail,
  getmail,
  mpop,
  mpopScram,
  poplib,
  openssl,
];
