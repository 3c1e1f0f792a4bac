/** `postern demo`: makes mailboxes and users to try, and serves them where that is asked for. */

import { join } from "node:path";
import { fileErrorReason, isNotFound } from "../files/file_error.ts";
import { complain, printLine } from "../terminal/output.ts";
import { safe } from "../terminal/safe_text.ts";
import { type DemoFolder, demoUser, LEAST_SIZE, makeDemoMail } from "./demo_mail.ts";
import { parseFlags } from "./flags.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, isGiven, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { UsageError } from "./usage_error.ts";

/** The administrator of `--serve`, who can be reached from this machine alone. */
const ADMINISTRATOR = "admin:admin";
/** The largest message, in octets. */
const LARGEST_SIZE = 1024 ** 3;
const UNITS: Readonly<Record<string, number>> = { "": 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3 };

const flags: readonly OwnFlag[] = withHelp([
  ownFlag("users", undefined, "N", "how many users, each with a mailbox (default: 1)"),
  ownFlag("messages", undefined, "N", "messages in each mailbox (default: 5)"),
  ownFlag("size", undefined, "SIZE", "octets of each message, such as 2K or 10M (default: 2K)"),
  ownFlag("serve", undefined, "", "serve them from a temporary folder that goes with the server"),
  ownFlag("port", undefined, "N", "port for POP3, with --serve (default: 1110)"),
  ownFlag("admin-port", undefined, "N", "port for management, with --serve (default: 4321)"),
  ownFlag("http-port", undefined, "N", "port of the page, with --serve (default: 8110)"),
]);

/**
 * Runs `postern demo`.
 *
 * @param args what follows the command's name
 * @returns the exit status
 * @throws {UsageError} when the arguments do not fit
 */
export async function runDemo(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  const { values, rest } = parseFlags(args, flags);
  const number = (name: string, fallback: number, most: number): number =>
    readNumber(name, values.get(name)?.[0], fallback, most);
  const mail = {
    users: number("users", 1, 1_000_000),
    messages: number("messages", 5, 1_000_000),
    size: readSize(values.get("size")?.[0] ?? "2K"),
  };
  const ports = {
    pop3: number("port", 1110, 65_535),
    admin: number("admin-port", 4321, 65_535),
    http: number("http-port", 8110, 65_535),
  };
  if (isGiven(values, "serve")) {
    if (rest.length > 0) throw new UsageError("demo --serve takes no folder: it makes its own");
    return await serveDemo(mail, ports);
  }
  if (rest.length > 1) throw new UsageError("demo takes one folder; see postern demo -h");
  return await makeDemo(rest[0] ?? "demo", mail);
}

interface Ports {
  readonly pop3: number;
  readonly admin: number;
  readonly http: number;
}

function help(): string {
  return [
    "Usage: postern demo [flags] [FOLDER]",
    paragraph(
      "Makes FOLDER (default: demo) with mailboxes in FOLDER/mail and their users in FOLDER/users, and says how to " +
        "serve them. The users are demo, demo2, demo3 and so on; each one's password is the name.",
    ),
    flagsHelp(flags),
  ].join("\n\n");
}

async function makeDemo(folder: string, mail: Parameters<typeof makeDemoMail>[1]): Promise<number> {
  try {
    if (!await isEmpty(folder)) {
      complain(
        `postern: ${safe(folder)} is not empty; name a folder that is, or that is not there`,
      );
      return 1;
    }
    const made = await makeDemoMail(folder, mail);
    const last = demoUser(mail.users);
    printLine(
      `Made ${mail.users} ${mail.users === 1 ? "user" : "users"} (${
        mail.users === 1 ? "demo" : `demo to ${last}`
      }, password = name) with ${mail.messages} messages each in ${safe(folder)}. Serve them with:`,
    );
    printLine(`  ${program()} serve --maildir ${safe(made.maildir)} --users ${safe(made.users)}`);
    return 0;
  } catch (error) {
    complain(`postern: ${safe(folder)} cannot be filled: ${fileErrorReason(error)}`);
    return 1;
  }
}

async function serveDemo(
  mail: Parameters<typeof makeDemoMail>[1],
  ports: Ports,
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "postern-demo-" });
  try {
    const made = await makeDemoMail(folder, mail);
    sayHowToTry(ports);
    const { serve } = await import("./serve.ts");
    return await serve.run(serveArguments(made, ports, folder));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Three lines that work when they are pasted into another terminal. */
function sayHowToTry({ pop3, admin, http }: Ports): void {
  printLine("Postern serves a mailbox to try; Ctrl-C ends it. In another terminal:");
  printLine(`  curl -u demo:demo pop3://127.0.0.1:${pop3}/1`);
  printLine(`  ${program()} admin -p ${admin} -u ${ADMINISTRATOR} stat`);
  printLine(`  curl http://127.0.0.1:${http}/readyz`);
  printLine(`The page is at http://127.0.0.1:${http}/`);
}

function serveArguments({ maildir, users }: DemoFolder, ports: Ports, folder: string): string[] {
  return [
    ...["--listen", "127.0.0.1", "--port", String(ports.pop3)],
    ...["--admin-listen", "127.0.0.1", "--admin-port", String(ports.admin)],
    ...["--http", `127.0.0.1:${ports.http}`, "--admin", ADMINISTRATOR],
    ...["--maildir", maildir, "--users", users],
    ...["--state", join(folder, "postern.db"), "--log-format", "text"],
  ];
}

/** How this program is called: the binary by its name, a checkout by its task. */
function program(): string {
  return Deno.build.standalone ? "postern" : "deno task --quiet postern";
}

async function isEmpty(folder: string): Promise<boolean> {
  try {
    for await (const _ of Deno.readDir(folder)) return false;
    return true;
  } catch (error) {
    if (isNotFound(error)) return true;
    throw error;
  }
}

function readNumber(
  name: string,
  text: string | undefined,
  fallback: number,
  most: number,
): number {
  if (text === undefined) return fallback;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= most) return value;
  throw new UsageError(`--${name}: expected a whole number from 1 to ${most}`);
}

function readSize(text: string): number {
  const [, amount, unit = ""] = /^(\d{1,10})([KMG]?)$/.exec(text) ?? [];
  const size = Number(amount) * (UNITS[unit] ?? NaN);
  if (size >= LEAST_SIZE && size <= LARGEST_SIZE) return size;
  throw new UsageError(`--size: expected ${LEAST_SIZE} octets to 1G, such as 2K or 10M`);
}
