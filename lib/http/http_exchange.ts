/** One HTTP request and its answer on one connection (RFC 9112), bounded in octets and time, and nothing after it. */

import { type Answer, type Answering, plain, type Question } from "./dashboard/answers.ts";

/** Octets of a request's line and headers; a body is never read. */
const LARGEST_HEAD = 8 * 1024;
/** Milliseconds that a client has to see the end of its answer before the connection is closed. */
const LINGER = 1000;

const REASONS: Readonly<Record<number, string>> = {
  200: "OK",
  400: "Bad Request",
  404: "Not Found",
  405: "Method Not Allowed",
  421: "Misdirected Request",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/**
 * Reads a request, answers it, and closes the connection, whatever happens. Further requests on it are not read: what one client can
 * have the server hold is one head and one answer.
 *
 * @param patience milliseconds for all of it; the connection is closed then
 */
export async function exchange(
  connection: Deno.Conn,
  answer: Answering,
  patience: number,
): Promise<void> {
  const deadline = setTimeout(() => closeQuietly(connection), patience);
  try {
    const head = await readHead(connection);
    if (head === undefined) return;
    const question = head === "too-large"
      ? plain(431, "The headers are too large.\n")
      : parse(head);
    const method = "method" in question ? question.method : "GET";
    const bytes = serialize("status" in question ? question : await answer(question), method);
    for (let sent = 0; sent < bytes.length;) {
      sent += await connection.write(bytes.subarray(sent));
    }
    await linger(connection);
  } catch {
    // The client went away, or its time was over: nobody is left to be told.
  } finally {
    clearTimeout(deadline);
    closeQuietly(connection);
  }
}

/** Reads up to the empty line; undefined when the client left before. */
async function readHead(connection: Deno.Conn): Promise<string | "too-large" | undefined> {
  const buffer = new Uint8Array(LARGEST_HEAD);
  let length = 0;
  while (length < buffer.length) {
    const read = await connection.read(buffer.subarray(length));
    if (read === null) return undefined;
    length += read;
    // One octet a character, as a head is read by octets (RFC 9112, section 2.2).
    const text = new TextDecoder("latin1").decode(buffer.subarray(0, length));
    const end = text.search(/\r?\n\r?\n/);
    if (end !== -1) return text.slice(0, end);
  }
  return "too-large";
}

/** The request, or the answer to what is none. Two Host headers are refused (RFC 9112, section 3.2). */
function parse(head: string): Question | Answer {
  const [first = "", ...fields] = head.split(/\r?\n/);
  const [, method, target] = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first) ?? [];
  const hosts = fields.flatMap((field) => /^host:[ \t]*(.*?)[ \t]*$/i.exec(field)?.[1] ?? []);
  if (method === undefined || target === undefined || hosts.length > 1) {
    return plain(400, "Bad request: not HTTP/1.x.\n");
  }
  return { method, target, host: hosts[0] };
}

function serialize({ status, headers, body }: Answer, method: string): Uint8Array {
  const encoder = new TextEncoder();
  const bytes = encoder.encode(body);
  const fields = { ...headers, "content-length": bytes.length, connection: "close" };
  let head = `HTTP/1.1 ${status} ${REASONS[status] ?? ""}\r\ndate: ${new Date().toUTCString()}\r\n`;
  for (const [name, value] of Object.entries(fields)) head += `${name}: ${value}\r\n`;
  const start = encoder.encode(`${head}\r\n`);
  if (method === "HEAD") return start;
  const whole = new Uint8Array(start.length + bytes.length);
  whole.set(start);
  whole.set(bytes, start.length);
  return whole;
}

/** Lets the client close first: closing over octets that were not read resets the connection, and the answer may be lost. */
async function linger(connection: Deno.Conn): Promise<void> {
  await connection.closeWrite();
  const timer = setTimeout(() => closeQuietly(connection), LINGER);
  const waste = new Uint8Array(LARGEST_HEAD);
  try {
    while (await connection.read(waste) !== null);
  } finally {
    clearTimeout(timer);
  }
}

/** Closes a connection that may be closed already. */
export function closeQuietly(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch (error) {
    // Closed already, by its deadline or by the end of the server.
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
