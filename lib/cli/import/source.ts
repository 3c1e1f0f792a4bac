/** Reads `--source pop3s://USER:@FILE@HOST`: the server whose ids are taken over while it still runs. */

import { fileErrorReason } from "../../files/file_error.ts";
import type { OldServer } from "../../migrate/old_server.ts";
import { UsageError } from "../usage_error.ts";
import { expandUser } from "./import_flags.ts";

/**
 * Reads the flags `--source` and `--ca`.
 *
 * @param isMany whether there are several users
 * @param progress told how far a mailbox has come
 * @returns undefined when there is none
 * @throws {UsageError} when it cannot be read; never with the password in it
 */
export async function readSource(
  values: ReadonlyMap<string, readonly string[]>,
  isMany: boolean,
  progress: (sentence: string) => void,
): Promise<OldServer | undefined> {
  const text = values.get("source")?.[0];
  if (text === undefined) {
    if (values.get("from")?.[0] === "pop3") {
      throw new UsageError("--from pop3 needs --source pop3s://USER:@FILE@HOST");
    }
    return undefined;
  }
  const [, scheme, access = "", host = "", port] =
    /^(pop3s?):\/\/(.+)@(\[[0-9a-fA-F:]+\]|[^@/:]+)(?::(\d{1,5}))?\/?$/.exec(text) ?? [];
  if (scheme === undefined) {
    throw new UsageError(
      "--source is not of the form pop3s://USER:@FILE@HOST or pop3://USER:@FILE@HOST:PORT",
    );
  }
  const colon = access.indexOf(":");
  const login = colon < 0 ? access : access.slice(0, colon);
  if (isMany && !/%[und]/.test(login)) {
    throw new UsageError(
      "--source of several users holds %u in its user, as in pop3s://%u*master:@FILE@HOST",
    );
  }
  const ca = values.get("ca")?.[0];
  return {
    host: host.replace(/^\[|\]$/g, ""),
    port: port === undefined ? (scheme === "pop3s" ? 995 : 110) : Number(port),
    tls: scheme === "pop3s",
    login: (user) => expandUser(login, user),
    password: await readPassword(colon < 0 ? undefined : access.slice(colon + 1)),
    ca: ca === undefined ? undefined : await readText(ca, "--ca"),
    progress,
  };
}

async function readPassword(text: string | undefined): Promise<string> {
  const given = text ?? Deno.env.get("POSTERN_SOURCE_PASSWORD");
  if (given === undefined || given === "") {
    throw new UsageError(
      "--source has no password: expected USER:@FILE, or POSTERN_SOURCE_PASSWORD in the environment",
    );
  }
  if (given.startsWith("@@")) return given.slice(1);
  if (!given.startsWith("@")) return given;
  return (await readText(given.slice(1), "--source")).replace(/\r?\n$/, "");
}

async function readText(path: string, flag: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new UsageError(`${flag}: ${path} cannot be read: ${fileErrorReason(cause)}`, { cause });
  }
}
