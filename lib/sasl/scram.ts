/** SASL SCRAM-SHA-256 (RFC 5802, RFC 7677): proves a password without showing it. */

import { decodeBase64, encodeBase64 } from "../bytes/base64.ts";
import type { LoginOutcome } from "../contracts/login_service.ts";
import {
  type Closing,
  type ExchangeContext,
  malformed,
  type Mechanism,
  readUtf8,
  type Step,
} from "./mechanism.ts";

/** Octets of randomness in the server's part of the nonce. */
const NONCE_OCTETS = 18;
/** Octets of a proof, and of a signature: SHA-256's. */
const HASH_OCTETS = 32;
/** `printable` of RFC 5802, section 7: all of ASCII that is visible, but the comma. */
const PRINTABLE = "[\\x21-\\x2b\\x2d-\\x7e]+";
// An extension that must be understood (`m=`) matches nowhere, so that it is refused as section 5.1 wants.
const CLIENT_FIRST = new RegExp(
  `^(?<gs2>(?<binding>n|y|p=[A-Za-z0-9.-]+),(?:a=(?<authorize>[^,\\0]+))?,)` +
    `(?<bare>n=(?<user>[^,\\0]+),r=(?<nonce>${PRINTABLE})(?:,[A-Za-ln-z]=[^,\\0]+)*)$`,
);
const CLIENT_FINAL = new RegExp(
  `^(?<unproved>c=(?<binding>[A-Za-z0-9+/=]+),r=(?<nonce>${PRINTABLE})(?:,[A-Za-ln-z]=[^,\\0]+)*)` +
    `,p=(?<proof>[A-Za-z0-9+/=]+)$`,
);

export const scramSha256: Mechanism = {
  name: "SCRAM-SHA-256",
  offered: ({ secure, clearAllowed, scramForAll }) => (secure || clearAllowed) && scramForAll,
  start: (initial, context) =>
    initial === undefined
      ? {
        kind: "challenge",
        data: new Uint8Array(),
        next: (response) => readClientFirst(response, context),
      }
      : readClientFirst(initial, context),
};

/** What the second message is checked against. */
interface Begun {
  readonly user: string;
  readonly gs2: string;
  readonly nonce: string;
  /** client-first-message-bare and server-first-message, with a comma behind each. */
  readonly transcript: string;
}

async function readClientFirst(response: Uint8Array, context: ExchangeContext): Promise<Step> {
  const found = CLIENT_FIRST.exec(readUtf8(response) ?? "")?.groups;
  if (found === undefined) return malformed("its first message is not as RFC 5802 has it");
  const { gs2 = "", binding = "", authorize, bare = "", nonce: theirs = "" } = found;
  // `y` says that we offer no channel binding, which is true; `p` wants one, which only -PLUS could give.
  if (binding.startsWith("p")) return malformed("it wants channel binding, which is not offered");
  const user = decodeName(found["user"] ?? "");
  if (user === undefined) return malformed("its name holds a = that stands for nothing");
  if (authorize !== undefined && decodeName(authorize) !== user) {
    return malformed("it asks to act for another user");
  }
  const parameters = await context.scramParameters(user);
  if (parameters === undefined) return { kind: "unavailable" };
  const { salt, iterations } = parameters;
  const nonce = theirs + freshNonce(context);
  const serverFirst = `r=${nonce},s=${encodeBase64(salt)},i=${iterations}`;
  const begun = { user, gs2, nonce, transcript: `${bare},${serverFirst},` };
  return {
    kind: "challenge",
    data: new TextEncoder().encode(serverFirst),
    next: (answer) => readClientFinal(answer, begun),
  };
}

function freshNonce(context: ExchangeContext): string {
  const { random = (into) => crypto.getRandomValues(into) } = context;
  const octets = new Uint8Array(NONCE_OCTETS);
  random(octets);
  return encodeBase64(octets);
}

/** Undoes `=2C` and `=3D` (RFC 5802, section 5.1); undefined where another `=` stands. */
function decodeName(name: string): string | undefined {
  if (/=(?!2C|3D)/.test(name)) return undefined;
  return name.replaceAll("=2C", ",").replaceAll("=3D", "=");
}

function readClientFinal(response: Uint8Array, begun: Begun): Step {
  const found = CLIENT_FINAL.exec(readUtf8(response) ?? "")?.groups;
  if (found === undefined) return malformed("its last message is not as RFC 5802 has it");
  const { unproved = "", binding, nonce, proof: written = "" } = found;
  // Someone in the middle who changed the header to hide what is offered is found out here (section 6).
  if (binding !== encodeBase64(begun.gs2)) return malformed("its channel binding data are others");
  if (nonce !== begun.nonce) return malformed("its nonce is another");
  const proof = decodeBase64(written);
  if (proof?.length !== HASH_OCTETS) return malformed("its proof has not the length of SHA-256");
  const authMessage = begun.transcript + unproved;
  return {
    kind: "credentials",
    credentials: {
      kind: "scram",
      mechanism: "SCRAM-SHA-256",
      user: begun.user,
      authMessage,
      proof,
    },
    closing,
  };
}

/** The server's own proof. POP3 has no room for it in `+OK`, so it goes out as a challenge (RFC 5034, section 4). */
function closing(outcome: LoginOutcome): Closing | undefined {
  if (outcome.kind !== "granted" || outcome.serverSignature === undefined) return undefined;
  return {
    data: new TextEncoder().encode(`v=${encodeBase64(outcome.serverSignature)}`),
    accepts: (response) => response.length === 0,
  };
}
