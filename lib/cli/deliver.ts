/** `postern deliver`: takes one message on standard input and puts it into a user's mailbox; for mail servers and fetching programs. */

import { canonicalName } from "../bytes/canonical_name.ts";
import type { Settings } from "../contracts/settings.ts";
import type { UserRecord } from "../contracts/user_record.ts";
import { knownUser } from "../auth/user_fields.ts";
import { PasswdFile } from "../auth/passwd/passwd_file.ts";
import { heldFolders } from "../app/held_folders.ts";
import {
  DeliveryError,
  type DeliveryTrouble,
  MailboxDelivery,
} from "../mail/delivery/mailbox_delivery.ts";
import { traceHeader } from "../mail/delivery/trace_header.ts";
import { readIds } from "../mail/places/file_ids.ts";
import { mailRoots } from "../mail/places/mail_roots.ts";
import { readPlace } from "../mail/naming/place_template.ts";
import { SettingError } from "../settings/errors.ts";
import { lookUpHeldUser } from "../state/sqlite/held_users.ts";
import { complain } from "../terminal/output.ts";
import { safe } from "../terminal/safe_text.ts";
import { parseFlags } from "./flags.ts";
import { paragraph } from "./help.ts";
import { answerHelp, flagsHelp, type OwnFlag, ownFlag, withHelp } from "./own_flags.ts";
import { readSomeSettings, settingFlags, USERS_AND_NAMES } from "./some_settings.ts";
import { UsageError } from "./usage_error.ts";

/** Settings that say where mail goes, taken as `serve` takes them; the short `-d` means the user here. */
const WHERE = [
  "maildir",
  "mailbox",
  "homes",
  "ids",
  "quota",
  "maxMessageSize",
  "state",
  ...USERS_AND_NAMES,
] as const;

type DeliverSettings = Pick<Settings, (typeof WHERE)[number]>;

const flags: readonly OwnFlag[] = withHelp([
  ownFlag(
    "user",
    "d",
    "USER",
    "whom the message is for; the user that the program runs as by default",
  ),
  ownFlag("from", "f", "ADDR", "the envelope's sender, for Return-Path"),
  ...settingFlags(WHERE).map((flag) => flag.letter === "d" ? { ...flag, letter: undefined } : flag),
]);

/** Exit statuses of sysexits.h, by which mail servers go. */
const EX = {
  usage: 64,
  noUser: 67,
  unavailable: 69,
  cantCreate: 73,
  io: 74,
  temporary: 75,
  permission: 77,
};

const STATUS: Readonly<Record<DeliveryTrouble, number>> = {
  "permission": EX.permission,
  "over-quota": EX.temporary,
  "too-big": EX.unavailable,
  "disk-full": EX.cantCreate,
  "disk": EX.io,
  "temporary": EX.temporary,
};

/** Octets that are looked at for header lines that are there already. */
const START_OCTETS = 16 * 1024;

/** Why a message was not delivered, with the exit status. */
class NotDelivered extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Runs `postern deliver`.
 *
 * @param args what follows the command's name
 * @returns the exit status, one of sysexits.h
 */
export async function runDeliver(args: readonly string[]): Promise<number> {
  const helped = answerHelp(args, help);
  if (helped !== undefined) return helped;
  try {
    await deliver(args);
    return 0;
  } catch (error) {
    if (error instanceof UsageError || error instanceof SettingError) {
      complain(`postern: ${safe(error.message)}`);
      return EX.usage;
    }
    // Whatever else it is, the message must not be lost: the mail server tries again.
    const status = error instanceof NotDelivered
      ? error.status
      : error instanceof DeliveryError
      ? STATUS[error.trouble]
      : EX.temporary;
    complain(`postern: ${safe(error instanceof Error ? error.message : String(error))}`);
    return status;
  }
}

function help(): string {
  return [
    "Usage: postern deliver [flags] < message",
    paragraph(
      "Delivers the message on standard input into the mailbox of a user: with Delivered-To and Return-Path in front, " +
        "without an mbox From line, whole and synced, or not at all. For Postfix (mailbox_command, pipe), OpenSMTPD, Exim, " +
        "procmail, fetchmail and getmail. The user is looked up in the users file and in the state file; where neither can be " +
        "read, whoever has a mailbox is a user.",
    ),
    flagsHelp(flags),
    "Exit status, as in sysexits.h: 0 delivered, 64 wrong usage, 67 no such user, 69 larger than allowed, 73 disk full, " +
    "74 disk error, 75 try again later, 77 no permission.",
  ].join("\n\n");
}

async function deliver(args: readonly string[]): Promise<void> {
  const { values, rest } = parseFlags(args, flags);
  if (rest.length > 0) throw new UsageError("deliver takes only flags; see postern deliver -h");
  const settings = await readSomeSettings(WHERE, values);
  const name = values.get("user")?.[0] ?? await ownName();
  const from = values.get("from")?.[0]?.replace(/^<(.*)>$/s, "$1");
  const delivery = openDelivery(settings);
  const { user, record } = await findByAddress(name, settings, delivery);
  await delivery.check(user, record);
  await using message = await delivery.open(user, record);
  const { maxMessageSize } = settings;
  for await (const octets of messageOctets({ from, to: name })) {
    await message.write(octets);
    if (maxMessageSize > 0 && message.size > maxMessageSize) {
      throw new NotDelivered(EX.unavailable, "The message is larger than max_message_size");
    }
  }
  await delivery.deliver(user, record, message);
}

function openDelivery(settings: DeliverSettings): MailboxDelivery {
  const { defaultDomain, mailbox, ids, quota } = settings;
  const { maildir, homes } = mailRoots(settings);
  const account = Deno.uid() ?? NaN;
  const held = heldFolders(Deno.env.get("PATH") ?? "");
  return new MailboxDelivery({
    root: maildir.real,
    given: maildir.given,
    homes,
    template: mailbox === undefined ? undefined : readPlace(mailbox),
    ids: readIds(ids, account),
    ...defaultDomain !== undefined && { defaultDomain },
    held: held(maildir.real, homes.map(({ real }) => real)),
    ...{ account, quota, pid: Deno.pid, hostName: Deno.hostname(), unprepared: true },
    warn: (text) => complain(`postern: ${safe(text)}`),
  });
}

/** By the whole address; a user without a domain is meant by any, since the mail server knows which are ours. */
async function findByAddress(
  address: string,
  settings: DeliverSettings,
  delivery: MailboxDelivery,
): Promise<{ readonly user: string; readonly record: UserRecord | undefined }> {
  const user = canonicalName(address, settings);
  const at = address.lastIndexOf("@");
  try {
    return { user, record: await find(user, settings, delivery) };
  } catch (error) {
    if (!(error instanceof NotDelivered) || error.status !== EX.noUser || at < 1) throw error;
    const local = canonicalName(address.slice(0, at), settings);
    return { user: local, record: await find(local, settings, delivery) };
  }
}

/** Finds a user. @throws {NotDelivered} when there is none, or that cannot be told */
async function find(
  user: string,
  settings: DeliverSettings,
  delivery: MailboxDelivery,
): Promise<UserRecord | undefined> {
  let given: UserRecord | undefined;
  let isKnown = false;
  if (settings.users !== undefined) {
    const file = await PasswdFile.read({
      path: settings.users,
      secret: new Uint8Array(32),
      defaultDomain: settings.defaultDomain,
      names: settings.names,
      recipientDelimiter: settings.recipientDelimiter,
    });
    isKnown = file.has(user);
    given = (await file.find(user))?.record;
  }
  const held = settings.state === ":memory:" ? "unknown" : lookUpHeldUser(settings.state, user);
  if (held !== undefined && held !== "unknown") return knownUser(held.fields, given).record;
  if (isKnown || await delivery.exists(user, given)) return given;
  const isAbsent = settings.state === ":memory:" || !exists(settings.state);
  if (held === undefined || isAbsent) throw new NotDelivered(EX.noUser, `There is no user ${user}`);
  throw new NotDelivered(
    EX.temporary,
    `Whether there is a user ${user} cannot be told: the state file ${settings.state} cannot be read`,
  );
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotFound);
  }
}

/** The name of the account that the program runs under. */
async function ownName(): Promise<string> {
  const lines = (await Deno.readTextFile("/etc/passwd")).split("\n").map((line) => line.split(":"));
  const name = lines.find((fields) => Number(fields[2]) === Deno.uid())?.[0];
  if (name === undefined) throw new UsageError("expected -d USER");
  return name;
}

/** The message with its header lines, and without a `From ` line of mbox. */
async function* messageOctets(
  trace: { readonly from: string | undefined; readonly to: string },
): AsyncGenerator<Uint8Array> {
  const reader = Deno.stdin.readable.getReader();
  let start = new Uint8Array(0);
  let isAll = false;
  while (start.length < START_OCTETS && !isAll) {
    const { value, done } = await reader.read();
    isAll = done;
    if (value !== undefined) start = joined(start, value);
  }
  const text = new TextDecoder("latin1").decode(start);
  const mbox = /^>?From [^\n]*\n/.exec(text)?.[0].length ?? 0;
  const rest = text.slice(mbox);
  const isCrlf = /^[^\n]*\r\n/.test(rest);
  const header = traceHeader(trace, rest);
  yield new TextEncoder().encode(isCrlf ? header.replaceAll("\n", "\r\n") : header);
  yield start.subarray(mbox);
  while (!isAll) {
    const { value, done } = await reader.read();
    isAll = done;
    if (value !== undefined) yield value;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
