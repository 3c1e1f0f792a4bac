/** USER after login: keeps a user out, lets one in again, sets what is known of one. */

import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { UserChangeOutcome } from "../../contracts/management.ts";
import { linesAnswer } from "../answers.ts";
import type { MsmpContext } from "../context.ts";
import type { Administration } from "../phases.ts";
import { shown } from "../text.ts";
import { firstWord, refused } from "../words.ts";

interface Arguments {
  readonly verb: "DISABLE" | "ENABLE" | "SET" | "SHOW";
  readonly user: string;
  /** Empty but for SET. */
  readonly field: string;
  /** Undefined takes the field away. */
  readonly value: string | undefined;
}

/** The USER command of version 2, after login. */
export const userFields = command<Administration, Arguments, MsmpContext>({
  name: "USER",
  args: readArguments,
  async handle(phase, { verb, user, field, value }): Promise<Reply> {
    const { users } = phase.context.services.management;
    switch (verb) {
      case "SHOW": {
        const fields = await users.fields(user);
        if (fields === undefined) return refused("User does not exist");
        const lines = [...fields].map(([name, text]) => `${name} ${shown(text)}`);
        return await linesAnswer(phase, lines);
      }
      case "SET":
        return answer(phase, `USER SET ${field}`, await users.setField(user, field, value), value);
      default: {
        const outcome = await users.enable(user, verb === "ENABLE");
        return answer(phase, `USER ${verb}`, outcome, undefined);
      }
    }
  },
});

function readArguments(text: string): Arguments {
  const { word, rest } = firstWord(text);
  const verb = word.toUpperCase();
  if (verb === "SET") {
    const { word: user, rest: more } = firstWord(rest);
    const { word: field, rest: value } = firstWord(more);
    if (field !== "") return { verb, user, field, value: value.trim() || undefined };
  }
  const user = rest.trim();
  if ((verb === "DISABLE" || verb === "ENABLE" || verb === "SHOW") && user !== "") {
    return { verb, user, field: "", value: undefined };
  }
  throw new SyntaxError(
    "Expected USER DISABLE <user>, USER ENABLE <user>, USER SET <user> <field> [value] or USER SHOW <user>",
  );
}

function answer(
  phase: Administration,
  action: string,
  outcome: UserChangeOutcome,
  after: string | undefined,
): Reply {
  switch (outcome.kind) {
    case "absent":
      return refused("User does not exist");
    case "invalid":
      return refused(shown(`Invalid value: expected ${outcome.reason}`));
    case "changed": {
      const { name: object, before = "none" } = outcome;
      phase.audit({ action, object, before, after: after ?? "none" });
      return { kind: "ok", text: "Changed user" };
    }
  }
}
