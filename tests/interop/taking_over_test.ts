// The real thing: what Dovecot answered to UIDL is what Postern answers after the import, and clients download nothing again.
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { postern } from "../support/piped_program.ts";
import {
  machineEnvironment,
  RunningProgram,
  serveArguments,
  spawnProgram,
} from "../support/program.ts";
import { Dovecot, hasDovecot, MAIL_ACCOUNT } from "./dovecot.ts";

const NAMES = [
  "cur/1699999999.M1P9.mx,S=SIZE,W=WIRE:2,S",
  "cur/1699999998.M2P9.mx:2,FS",
  "new/1699999997.M3P9.mx,S=SIZE",
  "cur/1700000500.V801I2M5.host:2,",
  "new/1700000001.M1P1.host",
  "new/1700000001.M2P1.host",
  "cur/1600000000.P1Q2.mx.example.org:2,RS",
  "new/odd+name=1",
];

async function makeMaildir(path: string): Promise<void> {
  for (const folder of ["cur", "new", "tmp"]) {
    await Deno.mkdir(join(path, folder), { recursive: true });
  }
  for (const [at, given] of NAMES.entries()) {
    const text =
      `From: a@example.org\nTo: ada@example.org\nMessage-ID: <${at}@x>\nSubject: ${at}\n\nbody ${at}\n`;
    // Dovecot does not serve a message whose name tells a wrong size.
    const name = given.replace("SIZE", `${text.length}`)
      .replace("WIRE", `${text.length + text.split("\n").length - 1}`);
    await Deno.writeTextFile(join(path, name), text);
    await Deno.utime(join(path, name), 1_700_000_000 + 7 * at, 1_700_000_000 + 7 * at);
  }
  await giveAll(path);
}

async function giveAll(path: string): Promise<void> {
  await Deno.chown(path, MAIL_ACCOUNT, MAIL_ACCOUNT);
  if (!(await Deno.lstat(path)).isDirectory) return;
  for await (const { name } of Deno.readDir(path)) await giveAll(join(path, name));
}

async function uidl(port: number, ...first: readonly string[]): Promise<string[]> {
  const client = await Pop3Client.connect({ port });
  await client.login("ada", "pw");
  for (const command of first) await client.ok(command);
  await client.ok("UIDL");
  const lines = await client.list();
  await client.ok("QUIT");
  await client.leave();
  return lines;
}

async function startOn(port: number, maildir: string): Promise<RunningProgram> {
  const args = serveArguments({
    maildir,
    users: { ada: "pw" },
    flags: ["--auth-delay", "0", "--no-flag-updates"],
  });
  args[args.indexOf("--port") + 1] = `${port}`;
  const program = new RunningProgram(spawnProgram(args));
  await program.ready();
  return program;
}

const FORMATS: readonly (readonly [format: string, settings: readonly string[]])[] = [
  ["%08Xu%08Xv", []],
  ["%v.%u", ["pop3_uidl_format = %v.%u"]],
  ["%f", ["pop3_uidl_format = %f"]],
  ["%Mf", ["pop3_uidl_format = %Mf"]],
  ["%g", ["pop3_uidl_format = %g"]],
  ["%08Xu%08Xv", ["pop3_save_uidl = yes"]],
];

for (const [format, settings] of FORMATS) {
  Deno.test({
    name: `Postern answers UIDL as Dovecot did with ${format} ${settings.join(" ")}`.trimEnd(),
    ignore: !hasDovecot(),
    fn: async (): Promise<void> => {
      await using folder = await temporaryFolder();
      await Deno.chmod(folder.path, 0o755);
      const mail = join(folder.path, "mail");
      await makeMaildir(join(mail, "ada"));
      let port: number;
      let before: string[];
      {
        await using dovecot = await Dovecot.start(folder.path, mail, settings);
        port = dovecot.port;
        await uidl(port, "DELE 2");
        await Deno.writeTextFile(
          join(mail, "ada", "new", "1700001000.M1P1.host"),
          "Subject: late\n\nx\n",
        );
        await giveAll(join(mail, "ada", "new"));
        before = await uidl(port);
        assertEquals(await uidl(port), before);
      }
      const saved = join(folder.path, "saved");
      await Deno.writeTextFile(saved, ["+OK", ...before, ".", ""].join("\r\n"));
      const flags = ["-d", mail, "--state", join(folder.path, "s.db"), "--uidl-format", format];
      const verified = await postern(["verify", "uidl", "ada", "--list", saved, ...flags]);
      assertEquals(verified.code, 0, verified.stdout + verified.stderr);
      const written = await postern(["import", "uidl", "--all", "--write", ...flags]);
      assertEquals(written.code, 0, written.stdout + written.stderr);
      assertStringIncludes(written.stdout, `ada: ${before.length} messages, ${before.length} keep`);
      await using _program = await startOn(port, mail);
      assertEquals(await uidl(port), before);
    },
  });
}

/** Fetches what is new, keeps it on the server, and remembers what it has in a home of its own. Returns how many messages came. */
const KEEPERS: Readonly<Record<string, (home: string, port: number) => Promise<number>>> = {
  async fetchmail(home, port): Promise<number> {
    const out = join(home, "out");
    await Deno.mkdir(out, { recursive: true });
    const before = [...Deno.readDirSync(out)].length;
    await write(join(home, "deliver.sh"), 'cat > "$(mktemp out/XXXXXXXX)"\n');
    await write(
      join(home, "rc"),
      `set no bouncemail\npoll 127.0.0.1 service ${port} protocol pop3 uidl auth password\n` +
        `  user "ada" password "pw" keep sslproto '' mda "sh deliver.sh"\n`,
    );
    // It ends with 1 where there is nothing new.
    await run(home, "fetchmail", ["-f", "rc", "--pidfile", join(home, "pid"), "--nodetach"], [
      0,
      1,
    ]);
    return [...Deno.readDirSync(out)].length - before;
  },
  async getmail(home, port): Promise<number> {
    const inbox = join(home, "inbox");
    for (const folder of ["cur", "new", "tmp"]) {
      await Deno.mkdir(join(inbox, folder), { recursive: true });
    }
    await giveAll(inbox);
    const before = [...Deno.readDirSync(join(inbox, "new"))].length;
    await write(
      join(home, "rc"),
      [
        "[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1",
        `port = ${port}\nusername = ada\npassword = pw`,
        `[destination]\ntype = Maildir\npath = ${inbox}/\nuser = nobody`,
        "[options]\nread_all = false\ndelete = false\n",
      ].join("\n"),
    );
    await run(home, "chown", ["-R", "nobody", inbox]);
    await Deno.chmod(home, 0o755);
    await run(home, "getmail", [`--getmaildir=${home}`, "--rcfile=rc", "--quiet"]);
    return [...Deno.readDirSync(join(inbox, "new"))].length - before;
  },
};

async function write(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text, { mode: 0o600 });
}

async function run(
  home: string,
  command: string,
  args: readonly string[],
  codes: readonly number[] = [0],
): Promise<void> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args: [...args],
    cwd: home,
    clearEnv: true,
    env: { ...machineEnvironment(), HOME: home, FETCHMAILHOME: home, LC_ALL: "C" },
  }).output();
  const decoder = new TextDecoder();
  assert(codes.includes(code), `${command}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
}

for (const [name, fetch] of Object.entries(KEEPERS)) {
  Deno.test({
    name: `${name}, which kept its mail on Dovecot, downloads nothing again from Postern`,
    ignore: !hasDovecot() || !hasCommand(name),
    fn: async (): Promise<void> => {
      await using folder = await temporaryFolder();
      await Deno.chmod(folder.path, 0o755);
      const [mail, home] = [join(folder.path, "mail"), join(folder.path, "home")];
      await Deno.mkdir(home);
      await makeMaildir(join(mail, "ada"));
      let port: number;
      {
        await using dovecot = await Dovecot.start(folder.path, mail);
        port = dovecot.port;
        assertEquals(await fetch(home, port), NAMES.length);
        assertEquals(await fetch(home, port), 0, "it remembers");
      }
      const state = join(folder.path, "s.db");
      const written = await postern(
        ["import", "uidl", "--all", "--write", "-d", mail, "--state", state],
      );
      assertEquals(written.code, 0, written.stdout + written.stderr);
      await using _program = await startOn(port, mail);
      assertEquals(await fetch(home, port), 0, "messages that were downloaded again");
    },
  });
}

function hasCommand(name: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v "$0" >/dev/null`, name] }).outputSync()
    .success;
}
