/** ADMIN: adds, deletes and lists administrators. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import { nameAndPassword, type NewAccount } from "../new_account.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";
import { firstWord, name, refused } from "../words.ts";

type Arguments =
  | { readonly verb: "ADD"; readonly account: NewAccount }
  | { readonly verb: "DELE"; readonly name: string }
  | { readonly verb: "LIST" };

/** The ADMIN command (version 2). */
export const admin = command<Administration, Arguments, MsmpContext>({
  name: "ADMIN",
  args: readArguments,
  secret: "after-first",
  handle(phase, given): Promise<Reply> {
    switch (given.verb) {
      case "ADD":
        return add(phase, given.account);
      case "DELE":
        return remove(phase, given.name);
      case "LIST":
        return list(phase);
    }
  },
});

function readArguments(text: string): Arguments {
  const { word, rest } = firstWord(text);
  const verb = word.toUpperCase();
  if (verb === "ADD") return { verb, account: nameAndPassword(rest) };
  if (verb === "DELE") return { verb, name: name("administrator's name")(rest) };
  if (verb === "LIST" && rest.trim() === "") return { verb };
  throw new SyntaxError("Expected ADMIN ADD <name> <password>, ADMIN DELE <name> or ADMIN LIST");
}

async function add(phase: Administration, account: NewAccount): Promise<Reply> {
  const { administrators } = phase.context.services.management;
  const outcome = await administrators.add(account.name, account.password(phase.version));
  switch (outcome.kind) {
    case "unsafe-name":
      return refused(`Unsafe name: ${outcome.reason}`);
    case "unsafe-password":
      return refused(`Unsafe password: ${outcome.reason}`);
    case "limit":
      return refused("Administrator limit reached");
    case "added":
    case "updated": {
      const after = `${outcome.kind}, password hidden`;
      phase.audit({ action: "ADMIN ADD", object: outcome.name, after });
      const text = outcome.kind === "added" ? "Added administrator" : "Updated password";
      return { kind: "ok", text };
    }
  }
}

async function remove(phase: Administration, given: string): Promise<Reply> {
  const { management, dismiss } = phase.context.services;
  const outcome = await management.administrators.delete(given);
  if (outcome === "absent") return refused("Administrator does not exist");
  if (outcome === "last") return refused("The last administrator cannot be deleted");
  const after = "deleted";
  phase.audit({ action: "ADMIN DELE", object: given, before: "an administrator", after });
  dismiss(given);
  const text = "Deleted administrator";
  // Whoever is none any more has nothing to say here.
  return given === phase.administrator
    ? { kind: "ok", text, effect: "close" }
    : { kind: "ok", text };
}

function list(phase: Administration): Promise<Reply> {
  return linesAnswer(phase, shownNames(phase.context.services.management.administrators.list()));
}

async function* shownNames(names: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const name of names) yield shown(name);
}
