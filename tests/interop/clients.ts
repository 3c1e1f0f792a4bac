/** Real mail clients, each with its configuration, how it is run, and what it is known to make of a message. */

import { join } from "node:path";
import { machineEnvironment } from "../support/program.ts";
import { within } from "../support/waiting.ts";

/** Where a client fetches from, and how. */
export interface Account {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  /** Whether the client deletes what it has fetched. */
  readonly fetched: "keep" | "delete";
  /** How many messages wait there. */
  readonly messages: number;
}

/** A mail client. */
export interface Client {
  readonly name: string;
  /** The program that must be installed. */
  readonly command: string;
  /** Which of `fetched` it can be told. */
  readonly can: readonly Account["fetched"][];
  /** Whether it takes messages as they come; others need a header to work on. */
  readonly takes: "anything" | "messages with a header";
  /** Whether a line, without its line end, is one that it does not spoil. */
  carries(line: Uint8Array): boolean;
  /** Fetches everything into files below `home`, a folder of its own. Returns the files' octets, in any order. */
  fetch(account: Account, home: string): Promise<Uint8Array[]>;
  /** What it writes for a message whose octets on the wire, dot-stuffing undone, are these. */
  writes(wire: string): string;
}

/** Runs a client to its end, with a home of its own. */
async function run(
  command: string,
  args: readonly string[],
  home: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const child = new Deno.Command(command, {
    args: [...args],
    cwd: home,
    clearEnv: true,
    env: { ...machineEnvironment(), HOME: home, LC_ALL: "C", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const output = child.output();
  try {
    const { code, stdout, stderr } = await within(output, `the end of ${command}`, 300_000);
    const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
    if (code !== 0) throw new Error(`${command} ended with ${code}: ${said}`);
    return said;
  } catch (error) {
    try {
      child.kill("SIGKILL");
    } catch (late) {
      // It has ended by itself.
      if (!(late instanceof TypeError)) throw late;
    }
    await output;
    throw error;
  }
}

async function filesOf(folder: string): Promise<Uint8Array[]> {
  const names = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  return await Promise.all(names.sort().map((name) => Deno.readFile(join(folder, name))));
}

async function makeMaildirFor(home: string): Promise<string> {
  for (const folder of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(home, "inbox", folder), { recursive: true });
  }
  return join(home, "inbox");
}

/** Configuration files hold passwords, so that clients refuse them unless they are private. */
async function configure(path: string, lines: readonly string[]): Promise<void> {
  await Deno.writeTextFile(path, lines.join("\n") + "\n", { mode: 0o600 });
}

const withLf = (wire: string): string => wire.replaceAll("\r\n", "\n");

const curl: Client = {
  name: "curl",
  command: "curl",
  can: ["keep", "delete"],
  takes: "anything",
  carries: () => true,
  async fetch({ port, user, password, fetched, messages }, home): Promise<Uint8Array[]> {
    const url = `pop3://127.0.0.1:${port}`;
    const access = ["--silent", "--show-error", "--user", `${user}:${password}`];
    await Deno.mkdir(join(home, "out"));
    await run("curl", [...access, `${url}/[1-${messages}]`, "--output", "out/#1"], home);
    if (fetched === "delete") {
      // The option --head keeps curl from waiting for a message behind DELE's answer.
      for (let number = 1; number <= messages; number++) {
        await run("curl", [...access, "--head", "--request", "DELE 1", `${url}/`], home);
      }
    }
    return await filesOf(join(home, "out"));
  },
  // Of a message without any line it makes one line end.
  writes: (wire) => wire === "" ? "\r\n" : wire,
};

const fetchmail: Client = {
  name: "fetchmail",
  command: "fetchmail",
  can: ["keep", "delete"],
  takes: "messages with a header",
  carries: (line) => line.length <= 2000,
  async fetch({ port, user, password, fetched }, home): Promise<Uint8Array[]> {
    await Deno.mkdir(join(home, "out"));
    await Deno.writeTextFile(
      join(home, "deliver.sh"),
      'cat > "out/$(printf %06d "$(ls out | wc -l)")"\n',
    );
    await configure(join(home, "fetchmailrc"), [
      "set no bouncemail",
      "set invisible",
      `poll 127.0.0.1 service ${port} protocol pop3 ${
        fetched === "keep" ? "uidl" : ""
      } auth password user "${user}" password "${password}"`,
      `  ${fetched === "keep" ? "keep" : "no keep fetchall"} sslproto '' no rewrite pass8bits`,
      `  no mimedecode no dropstatus no stripcr no forcecr mda "sh deliver.sh"`,
    ]);
    await run(
      "fetchmail",
      ["-f", "fetchmailrc", "--pidfile", join(home, "pid"), "--nodetach"],
      home,
      {
        FETCHMAILHOME: home,
      },
    );
    return await filesOf(join(home, "out"));
  },
  writes: (wire) => wire,
};

const mpop: Client = {
  name: "mpop",
  command: "mpop",
  can: ["keep", "delete"],
  takes: "messages with a header",
  // It reads long lines in pieces of 500 octets, and drops a CR at the end of one.
  carries: (line) => line.length < 480 || !line.includes(13),
  async fetch({ port, user, password, fetched }, home): Promise<Uint8Array[]> {
    const inbox = await makeMaildirFor(home);
    await configure(join(home, "mpoprc"), [
      "account test",
      "host 127.0.0.1",
      `port ${port}`,
      "tls off",
      `user ${user}`,
      `password ${password}`,
      "auth user",
      "received_header off",
      `keep ${fetched === "keep" ? "on" : "off"}`,
      `uidls_file ${join(home, "uidls")}`,
      `delivery maildir ${inbox}`,
    ]);
    await run("mpop", ["-C", "mpoprc", "--quiet", "test"], home);
    return await filesOf(join(inbox, "new"));
  },
  writes: withLf,
};

const getmail: Client = {
  name: "getmail6",
  command: "getmail",
  can: ["keep", "delete"],
  takes: "messages with a header",
  carries: (line) => line.length <= 2000,
  async fetch({ port, user, password, fetched }, home): Promise<Uint8Array[]> {
    const inbox = await makeMaildirFor(home);
    const root = (await run("id", ["-u"], home)).trim() === "0";
    if (root) {
      // It does not deliver as root, so somebody else must be able to.
      await Deno.chmod(home, 0o755);
      await run("chown", ["-R", "nobody", inbox], home);
    }
    await configure(join(home, "getmailrc"), [
      "[retriever]",
      "type = SimplePOP3Retriever",
      "server = 127.0.0.1",
      `port = ${port}`,
      `username = ${user}`,
      `password = ${password}`,
      "[destination]",
      "type = Maildir",
      `path = ${inbox}/`,
      ...(root ? ["user = nobody"] : []),
      "[options]",
      "delivered_to = false",
      "received = false",
      "read_all = true",
      `delete = ${fetched === "delete"}`,
    ]);
    await run("getmail", [`--getmaildir=${home}`, "--rcfile=getmailrc", "--quiet"], home);
    return await filesOf(join(inbox, "new"));
  },
  // Python's email package takes CR alone for a line end.
  writes: (wire) => `Return-Path: <unknown>\n${withLf(wire).replaceAll(/\r\n?/g, "\n")}`,
};

const poplib: Client = {
  name: "Python's poplib",
  command: "python3",
  can: ["keep", "delete"],
  takes: "anything",
  carries: (line) => line.length <= 2040,
  async fetch({ port, user, password, fetched }, home): Promise<Uint8Array[]> {
    await Deno.mkdir(join(home, "out"));
    const script = join(import.meta.dirname!, "poplib_fetch.py");
    const env = machineEnvironment();
    await run("python3", [script, String(port), user, password, fetched, join(home, "out")], home, {
      // Version managers look for Python below the real home.
      ...(env.HOME === undefined ? {} : { HOME: env.HOME }),
    });
    return await filesOf(join(home, "out"));
  },
  writes: (wire) => wire,
};

/** All clients that are tried. */
export const CLIENTS: readonly Client[] = [curl, fetchmail, getmail, mpop, poplib];

/** Whether a client's program is installed. */
export function installed(client: Client): boolean {
  const { success } = new Deno.Command("sh", {
    args: ["-c", `command -v "$0" >/dev/null`, client.command],
  }).outputSync();
  return success;
}
