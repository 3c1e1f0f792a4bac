/** KEY: makes, deletes and lists users' app passwords. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { readLabelAndTerms, termsText } from "../../auth/app_password_terms.ts";
import type { ListedAppPassword } from "../../contracts/account_store.ts";
import { shown, timeText, timeWord } from "../text.ts";
import { firstWord, refused } from "../words.ts";

interface Arguments {
  readonly verb: "ADD" | "DELE" | "LIST";
  readonly user: string;
  /** With the terms of ADD behind it; empty for LIST. */
  readonly label: string;
}

/** The KEY command (version 2). A label may hold blanks. */
export const key = command<Administration, Arguments, MsmpContext>({
  name: "KEY",
  args: readArguments,
  handle(phase, given): Promise<Reply> {
    switch (given.verb) {
      case "ADD":
        return add(phase, given);
      case "DELE":
        return remove(phase, given);
      case "LIST":
        return list(phase, given);
    }
  },
});

function readArguments(text: string): Arguments {
  const { word, rest } = firstWord(text);
  const verb = word.toUpperCase() === "DEL" ? "DELE" : word.toUpperCase();
  const { word: user, rest: label } = firstWord(rest);
  const named = label.trim() !== "";
  if ((verb === "ADD" || verb === "DELE") && user !== "" && named) {
    return { verb, user, label: label.trim() };
  }
  if (verb === "LIST" && user !== "" && !named) return { verb, user, label: "" };
  throw new SyntaxError(
    "Expected KEY ADD <user> <label> [expires=…] [networks=…] [read-only], KEY DELE <user> <label> or KEY LIST <user>",
  );
}

async function add(phase: Administration, { user, label: said }: Arguments): Promise<Reply> {
  const { label, terms } = readLabelAndTerms(said, Date.now());
  const outcome = await phase.context.services.management.keys.add(user, label, terms);
  switch (outcome.kind) {
    case "absent":
      return refused("User does not exist");
    case "exists":
      return refused("An app password with this label exists");
    case "unsafe-label":
      return refused(`Unsafe label: ${outcome.reason}`);
    case "in-file":
      return refused(`User is in the file ${shown(outcome.path)} only: ADD takes the user over`);
    case "added":
      phase.audit({ action: "KEY ADD", object: `${outcome.name} ${said}`, after: "hidden" });
      return { kind: "ok", text: outcome.password };
  }
}

async function remove(phase: Administration, { user, label }: Arguments): Promise<Reply> {
  if (!await phase.context.services.management.keys.delete(user, label)) {
    return refused("No app password with this label");
  }
  const object = `${user} ${label}`;
  phase.audit({ action: "KEY DELE", object, before: "an app password", after: "deleted" });
  return { kind: "ok", text: "Deleted app password" };
}

async function list(phase: Administration, { user }: Arguments): Promise<Reply> {
  const keys = await phase.context.services.management.keys.list(user);
  if (keys === undefined) return refused("User does not exist");
  return await linesAnswer(phase, keys.map(keyLine));
}

/** When it was made, its label, its terms, and its last use. */
function keyLine({ label, at, lastUse, ...terms }: ListedAppPassword): string {
  return [
    `${timeText(at)} ${shown(label)}`,
    termsText(terms),
    lastUse === undefined ? "" : `used=${timeWord(lastUse.at)} from=${lastUse.address}`,
  ].filter((part) => part !== "").join(" ");
}
