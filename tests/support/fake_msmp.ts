/** A small management server for tests of its clients: it speaks version 1 alone, or both, and can be made to misbehave. */

/** How the server behaves. */
export interface FakeMsmpOptions {
  /** @default {2} */
  readonly version?: 1 | 2;
  /** What it greets with. @default "+OK MSMP1 server ready" */
  readonly greeting?: string;
  /** Answers by the whole line of a command, in place of the usual ones; each is written as it is, with CRLF at its ends. */
  readonly answers?: Readonly<Record<string, readonly string[]>>;
  /** How many octets are written at once; the rest follows after. */
  readonly chunk?: number;
  /** The certificate and key with which STLS is served. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** The administrator of every fake server. */
export const FAKE_LOGIN = { name: "root", password: "correct horse" } as const;

const SESSION = "s1 alice 192.0.2.7 TLSv1.3 transaction 2026-01-31T12:00:00Z 123456 RETR";
const STAT_LINES = [
  "pop3.sessions.active: 1",
  "pop3.sessions.peak: 7",
  "pop3.connections: 42",
  "pop3.logins: 30",
  "pop3.bytes.sent: 1234567",
  "pop3.messages.retrieved: 21",
  "pop3.messages.deleted: 20",
];

/** A running fake server. */
export class FakeMsmp implements AsyncDisposable {
  readonly #listener: Deno.TcpListener;
  readonly #options: FakeMsmpOptions;
  readonly #connections = new Set<Deno.TcpConn>();
  readonly #served: Promise<void>;
  readonly #users = new Map<string, string>([["alice", "a"], ["bob", "b"]]);
  readonly #settings = new Map<string, string>([["max_connections", "1000"], ["timeout", "600"]]);
  /** Every line that clients sent. */
  readonly heard: string[] = [];
  /** How many connections there were. */
  accepted = 0;

  constructor(options: FakeMsmpOptions = {}) {
    this.#options = options;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.#served = this.#serve();
  }

  get port(): number {
    return this.#listener.addr.port;
  }

  /** Ends all connections, as an idle limit would. */
  hangUp(): void {
    for (const connection of this.#connections) connection.close();
    this.#connections.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.hangUp();
    await this.#served;
  }

  async #serve(): Promise<void> {
    const dialogues: Promise<void>[] = [];
    for await (const connection of this.#listener) {
      connection.setNoDelay(true);
      this.accepted++;
      this.#connections.add(connection);
      dialogues.push(this.#converse(connection));
    }
    await Promise.all(dialogues);
  }

  async #converse(connection: Deno.TcpConn): Promise<void> {
    const write = async (lines: readonly string[]): Promise<void> => {
      const octets = new TextEncoder().encode(lines.map((line) => `${line}\r\n`).join(""));
      const chunk = this.#options.chunk ?? octets.length;
      for (let at = 0; at < octets.length; at += chunk) {
        await connection.write(octets.subarray(at, at + chunk));
      }
    };
    const client = { user: "", loggedIn: false, version: 1 as 1 | 2 };
    try {
      await write([this.#options.greeting ?? "+OK MSMP1 server ready"]);
      for await (const line of linesOf(connection)) {
        this.heard.push(line);
        const answer = this.#options.answers?.[line] ?? this.#answer(line, client);
        await write(answer);
        if (line === "QUIT") break;
      }
    } catch (error) {
      // The client is gone, or the test has hung up.
      const isGone = [
        Deno.errors.BadResource,
        Deno.errors.Interrupted,
        Deno.errors.BrokenPipe,
        Deno.errors.ConnectionReset,
      ].some((kind) => error instanceof kind);
      if (!isGone) throw error;
    } finally {
      if (this.#connections.delete(connection)) connection.close();
    }
  }

  #answer(
    line: string,
    client: { user: string; loggedIn: boolean; version: 1 | 2 },
  ): readonly string[] {
    const [verb = "", first = "", ...more] = line.split(" ");
    if (!client.loggedIn) {
      if (verb === "USER") client.user = line.slice(5);
      if (verb === "USER" || verb === "QUIT") return ["+OK"];
      if (verb !== "PASS") return ["-ERR Unknown command"];
      client.loggedIn = client.user === FAKE_LOGIN.name && line.slice(5) === FAKE_LOGIN.password;
      return [client.loggedIn ? "+OK Logged in" : "-ERR Invalid credentials"];
    }
    const lines = (body: readonly string[]): string[] =>
      client.version === 1
        ? ["+OK", ...body]
        : ["+OK", ...body.map((each) => each.startsWith(".") ? `.${each}` : each), "."];
    if (line === "MSMP 2" && (this.#options.version ?? 2) === 2) {
      client.version = 2;
      return ["+OK MSMP2"];
    }
    switch (verb) {
      case "QUIT":
      case "NOOP":
        return ["+OK"];
      case "ADD":
        if (more.length === 0) return ["-ERR Missing password"];
        this.#users.set(first, more.join(" "));
        return ["+OK Added user"];
      case "DELE":
        return [this.#users.delete(first) ? "+OK Deleted user" : "-ERR User does not exist"];
      case "LIST":
        if (first === "") return lines([...this.#users.keys()].toSorted());
        return this.#users.has(first) ? lines([`${first} 3 logs`]) : ["-ERR User does not exist"];
      case "SET":
        this.#settings.set(first, more.join(" "));
        return ["+OK Changed value"];
      case "GET":
        return this.#settings.has(first)
          ? [`+OK ${this.#settings.get(first)}`]
          : ["-ERR Invalid key"];
      case "LOGS":
        return lines(["2026-01-31 12:00:00 IP: 192.0.2.7", "2026-01-31 12:30:00 IP: 192.0.2.8"]);
      case "STAT":
        return client.version === 1
          ? lines([
            "Total connections:          42",
            "Historical maximum traffic: 7",
            "Total transferred bytes:    1234567",
          ])
          : lines(STAT_LINES.filter((each) => first === "" || each.startsWith(`${first}: `)));
    }
    if (client.version === 2) {
      if (verb === "SESSIONS") return lines([SESSION]);
      if (verb === "HISTORY") return lines(["2026-01-31 11:59 1", "2026-01-31 12:00 4"]);
      if (verb === "SETTINGS") return lines(["timeout: 600 (default)", "maildir: ./my mail (set)"]);
    }
    return ["-ERR Unknown command"];
  }
}

async function* linesOf(connection: Deno.TcpConn): AsyncGenerator<string> {
  const buffer = new Uint8Array(8192);
  let held = "";
  const decoder = new TextDecoder();
  for (let count = await connection.read(buffer); count !== null;) {
    held += decoder.decode(buffer.subarray(0, count), { stream: true });
    const lines = held.split("\n");
    held = lines.pop()!;
    for (const line of lines) yield line.replace(/\r$/, "");
    count = await connection.read(buffer);
  }
}
