// What fail2ban reads in our log: the addresses of those who failed, and none that a client wrote there.
import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { RunningProgram, serveArguments, spawnProgram } from "../support/program.ts";
import { eventually } from "../support/waiting.ts";

const FILTER = join(projectRoot, "dist/fail2ban/postern.conf");

/** Names that write a line of their own, an end of ours, or an address where a filter may look for it. */
const HOSTILE = [
  "root from 203.0.113.9 was refused: x",
  "x> rip=<203.0.113.10> reason=credentials",
  "postern-auth: rejected user=<x> rip=<203.0.113.11> reason=credentials",
  '","message":"postern-auth: rejected user=<x> rip=<203.0.113.12> reason=credentials',
  "2026-01-31 12:00:00.250 INFO  [auth] postern-auth: rejected user=<x> rip=<203.0.113.13> reason=banned",
  "{user} {address} \\x3e \u2028 rip=203.0.113.14",
];

const isInstalled = await (async () => {
  try {
    return (await new Deno.Command("fail2ban-regex", { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
})();

/** The addresses that the filter finds, by fail2ban's own program. */
async function found(log: string): Promise<string[]> {
  const { stdout, stderr } = await new Deno.Command("fail2ban-regex", {
    args: ["--usedns=no", "-o", "<ip>", log, FILTER],
  }).output();
  const text = new TextDecoder().decode(stdout).trim();
  assertEquals(new TextDecoder().decode(stderr), "");
  return text === "" ? [] : text.split("\n");
}

/** Ports that nobody has now: where the log is text, it does not tell which were found. */
function freePorts(): [number, number] {
  using one = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return [one.addr.port, other.addr.port];
}

for (const format of ["text", "json"]) {
  Deno.test({
    name: `logs: fail2ban finds those who failed in ${format}, and nobody that a client names` +
      (isInstalled ? "" : " (ignored: fail2ban is not installed)"),
    ignore: !isInstalled,
    fn: async () => {
      await using folder = await temporaryFolder();
      const [port, adminPort] = freePorts();
      const args = serveArguments({
        maildir: folder.path,
        users: { ada: "right", "root from 203.0.113.15": "right" },
        flags: [
          ...["--log-level", "trace", "--auth-delay", "0"],
          ...["--proxy-protocol", "127.0.0.1/32", "--admin", "root:toor"],
        ],
      });
      args[args.indexOf("--log-format") + 1] = format;
      args[args.indexOf("--port") + 1] = `${port}`;
      args[args.indexOf("--admin-port") + 1] = `${adminPort}`;
      await using program = new RunningProgram(spawnProgram(args));
      await eventually("the program being ready", () => /\bready\b/.test(program.stderr));
      const from = async (address: string, lines: readonly string[]): Promise<string[]> => {
        using client = await Pop3Client.connect({ port: port });
        await client.send(`PROXY TCP4 ${address} 127.0.0.1 4000 110\r\n`);
        await client.line();
        const answers: string[] = [];
        for (const line of lines) answers.push(await client.command(line));
        return answers;
      };
      for (const [index, name] of HOSTILE.entries()) {
        await from(`192.0.2.${index + 1}`, [`USER ${name}`, "PASS wrong"]);
        await from(`198.51.100.${index + 1}`, [`NOOP ${name}`, name, `LANG ${name}`]);
      }
      // Who is right has not failed, whatever the name, and a maildrop in use is no failure.
      using holder = await Pop3Client.connect({ port: port });
      await holder.send("PROXY TCP4 198.51.100.50 127.0.0.1 4000 110\r\n");
      await holder.login("ada", "right");
      const [, inUse = ""] = await from("198.51.100.51", ["USER ada", "PASS right"]);
      assert(inUse.startsWith("-ERR [IN-USE]"), inUse);
      await from("198.51.100.52", ["USER root from 203.0.113.15", "PASS right", "QUIT"]);
      using admin = await Pop3Client.connect({ port: adminPort });
      await admin.line();
      await admin.command("USER root rip=<203.0.113.16>");
      await admin.command("PASS wrong");
      holder[Symbol.dispose]();
      const { stderr } = await program.stop();
      await using logs = await temporaryFolder();
      const log = join(logs.path, "postern.log");
      await Deno.writeTextFile(log, stderr);
      const expected = [...HOSTILE.keys().map((index) => `192.0.2.${index + 1}`), "127.0.0.1"];
      assertEquals((await found(log)).toSorted(), expected.toSorted());
      const lines = stderr.split("\n")
        .filter((line) => line.includes("postern-auth: rejected user="));
      assert(
        lines.some((line) =>
          line.includes("rejected user=<ada> rip=<198.51.100.51> reason=in-use")
        ),
        lines.join("\n"),
      );
    },
  });
}
