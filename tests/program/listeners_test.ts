// The ports that the program opens: several addresses, both families, and what it says of one that it cannot have.
import { assert, assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { runProgram, serveArguments, startProgram } from "../support/program.ts";

function hasIpv6(): boolean {
  try {
    Deno.listen({ hostname: "::1", port: 0 }).close();
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AddrNotAvailable) return false;
    throw error;
  }
}

Deno.test({
  name: "the program serves IPv4 and IPv6 addresses side by side",
  ignore: !hasIpv6(),
  fn: async (): Promise<void> => {
    await using folder = await temporaryFolder();
    await using program = await startProgram({
      maildir: folder.path,
      flags: ["--listen", "::1"],
    });
    const addresses = program.listeners.filter(({ protocol }) => protocol === "pop3");
    assertEquals(addresses.map(({ address }) => address).sort(), ["127.0.0.1", "::1"]);
    for (const { address, port } of addresses) {
      using client = await Pop3Client.connect({ hostname: address, port });
      assertEquals(await client.line(), "+OK pop.example.org Postern POP3 ready");
      assertEquals(await client.command("QUIT"), "+OK bye");
      await client.ended();
    }
  },
});

Deno.test("the program names a port that is taken, and ends with status 1", async () => {
  await using folder = await temporaryFolder();
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const args = serveArguments({ maildir: folder.path });
  args[args.indexOf("--port") + 1] = String(port);
  const { code, stderr } = await runProgram(args);
  assertEquals(code, 1, stderr);
  assert(stderr.includes(String(port)), stderr);
});
