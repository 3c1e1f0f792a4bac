/** AUTH (RFC 5034): logs in by a SASL mechanism. */

import { beginExchange, type ExchangeState } from "../../sasl/exchange.ts";
import type { OfferFacts } from "../../sasl/mechanism.ts";
import { findMechanism, offeredMechanisms } from "../../sasl/mechanisms.ts";
import { command } from "../../wire/command_table.ts";
import type { Reply } from "../../wire/reply.ts";
import type { Pop3Context } from "../context.ts";
import { logIn, refuse } from "../login.ts";
import type { Authorization } from "../phases.ts";
import { passwordsAllowed, tlsFirst } from "../passwords_allowed.ts";

interface AuthArguments {
  readonly mechanism: string | undefined;
  /** The initial response as it was sent: base64, or `=` for an empty one. */
  readonly initial: string | undefined;
}

/** The AUTH command. Without an argument it lists the mechanisms, as old clients expect; the session goes on either way. */
export const auth = command<Authorization, AuthArguments, Pop3Context>({
  name: "AUTH",
  args: readArguments,
  secret: "after-first",
  capability: saslCapability,
  async handle(phase, { mechanism: name, initial }): Promise<Reply> {
    const facts = offerFacts(phase.context);
    if (name === undefined) {
      return {
        kind: "list",
        text: "mechanisms follow",
        lines: offeredMechanisms(facts).map((mechanism) => mechanism.name),
      };
    }
    const mechanism = findMechanism(name, facts);
    if (mechanism === undefined) {
      return {
        kind: "error",
        text: facts.secure || findMechanism(name, { ...facts, secure: true }) === undefined
          ? "That mechanism is not offered here; AUTH alone lists those that are"
          : tlsFirst(phase.context),
        bad: true,
      };
    }
    const { loginService } = phase.context.services;
    const scramParameters = (user: string) => loginService.scramParameters(user);
    return await replyOf(phase, await beginExchange(mechanism, initial, { scramParameters }));
  },
});

/** RFC 5034, section 3: the mechanisms in one line; only what will succeed, since clients try one and fall back to none. */
function saslCapability(context: Pop3Context): string | undefined {
  const names = offeredMechanisms(offerFacts(context)).map((mechanism) => mechanism.name);
  return names.length === 0 ? undefined : `SASL ${names.join(" ")}`;
}

function offerFacts(context: Pop3Context): OfferFacts {
  const { loginService } = context.services;
  return {
    secure: context.secure,
    clearAllowed: passwordsAllowed(context),
    plainInClear: context.services.plainInClear,
    scramForAll: loginService.scramForAll,
    bearer: loginService.bearer,
  };
}

function readArguments(rest: string): AuthArguments {
  const [mechanism, initial, ...more] = rest.split(" ").filter((word) => word !== "");
  if (more.length > 0) throw new SyntaxError("Expected AUTH mechanism [initial-response]");
  return { mechanism, initial };
}

async function replyOf(phase: Authorization, state: ExchangeState): Promise<Reply> {
  switch (state.kind) {
    case "challenge":
      return {
        kind: "challenge",
        data: state.data,
        answer: async (line) => await replyOf(phase, await state.answer(line)),
      };
    case "credentials":
      return await logIn(phase, state.credentials, state.closing);
    case "unavailable":
      return refuse(phase, { kind: "refused", reason: "unavailable" });
    case "failed":
      return { kind: "error", text: state.why, bad: true };
  }
}
