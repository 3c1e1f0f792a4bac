/** RETR over TLS against a bare sender over TLS; what handshakes cost. */

import { join } from "node:path";
import { testAuthority } from "../../tests/support/certificates.ts";
import { startHelper } from "../support/helper.ts";
import { connect, LightClient, lines } from "../support/light_client.ts";
import { makeMaildir, messageName, temporaryFolder, writeBigMessage } from "../support/mail.ts";
import { processorSeconds } from "../support/processes.ts";
import type { Scenario } from "../support/scenario.ts";
import { plainUsers, startServer } from "../support/server.ts";
import { alternate, timed } from "../support/statistics.ts";

const MIB = 256;
const ROUNDS = 5;
const HANDSHAKES = 1000;
const AT_ONCE = 8;
const RETRIEVE = lines("RETR 1");

/** See {@linkcode Scenario}. */
export const tls: Scenario = {
  name: "tls",
  about: `RETR of ${MIB} MiB over TLS, against Deno.listenTls sending the same; handshakes`,
  async run({ figure }): Promise<void> {
    await using folder = await temporaryFolder();
    await using authority = await testAuthority();
    const { chain, key } = await authority.issue("localhost");
    const maildir = join(folder.path, "mail");
    await makeMaildir(join(maildir, "ada"));
    const path = join(maildir, "ada", "cur", `${messageName(1)}:2,S`);
    const big = await writeBigMessage(path, MIB, "\r\n");
    const users = join(folder.path, "users");
    await plainUsers(users, ["ada"]);
    await using program = await startServer({
      maildir,
      flags: [
        ...["--users", users],
        ...["--tls-cert", chain, "--tls-key", key, "--tls-port", "0"],
      ],
    });
    await using sender = await startHelper("bare_sender", [big.path, chain, key]);
    const secure = async (port: number): Promise<LightClient> => {
      const caCerts = [authority.ca];
      const socket = await Deno.connectTls({ hostname: "localhost", port, caCerts });
      return new LightClient(socket, 1 << 18);
    };
    const upgraded = async (): Promise<LightClient> => {
      const socket = await Deno.connect({ hostname: "127.0.0.1", port: program.port() });
      const plain = new LightClient(socket, 1 << 12);
      await plain.ok();
      await plain.ask(lines("STLS"));
      const caCerts = [authority.ca];
      return new LightClient(
        await Deno.startTls(socket, { hostname: "localhost", caCerts }),
        1 << 18,
      );
    };
    const pop3s = program.port("pop3s");
    const seconds = await alternate(ROUNDS, {
      bare: async () => {
        const client = await secure(Number(sender.said));
        const [milliseconds, octets] = await timed(() => client.rest());
        if (octets !== big.octets) throw new Error(`${octets} octets came for ${big.octets}`);
        return milliseconds / 1000;
      },
      pop3s: async () => {
        const client = await secure(pop3s);
        await client.ok();
        return await retrieve(client, big.wireOctets);
      },
      stls: async () => await retrieve(await upgraded(), big.wireOctets),
    });
    figure("bare", big.octets / seconds.bare / 1e6, "MB/s");
    figure("POP3S", big.octets / seconds.pop3s / 1e6, "MB/s");
    figure("STLS", big.octets / seconds.stls / 1e6, "MB/s");
    figure("POP3S to bare", seconds.bare / seconds.pop3s, "×", { atLeast: 0.8 });
    figure("STLS to bare", seconds.bare / seconds.stls, "×", { atLeast: 0.8 });

    const shake = async (): Promise<void> => {
      const client = await secure(pop3s);
      await client.ok();
      client[Symbol.dispose]();
    };
    const greet = async (): Promise<void> => {
      using client = await connect(program.port());
      await client.ok();
    };
    for (const act of [shake, greet]) await many(100, act);
    const [plain, shaken] = [
      await processorOf(program.pid, () => many(HANDSHAKES, greet)),
      await processorOf(program.pid, () => many(HANDSHAKES, shake)),
    ];
    figure("processor a plain connection", plain / HANDSHAKES * 1e6, "µs");
    figure("processor a TLS connection", shaken / HANDSHAKES * 1e6, "µs");
    figure("handshakes a core", HANDSHAKES / shaken, "/s", { atLeast: 300 });
  },
};

/** Seconds from RETR to the terminator. */
async function retrieve(client: LightClient, wireOctets: number): Promise<number> {
  await client.ask(lines("USER ada"));
  await client.ask(lines("PASS pw"));
  await client.send(RETRIEVE);
  const [milliseconds, octets] = await timed(() => client.multiline());
  const first = octets - wireOctets;
  if (first < 5 || first > 64) throw new Error(`${octets} octets came for ${wireOctets}`);
  await client.quit();
  return milliseconds / 1000;
}

async function many(count: number, act: () => Promise<void>): Promise<void> {
  let left = count;
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (left-- > 0) await act();
  }));
}

/** Seconds of the server's processor time. */
async function processorOf(pid: number, act: () => Promise<void>): Promise<number> {
  const before = processorSeconds(pid);
  await act();
  return processorSeconds(pid) - before;
}
