/** SASL PLAIN (RFC 4616): name and password in one message. */

import { malformed, type Mechanism, readUtf8, type Step } from "./mechanism.ts";

export const plain: Mechanism = {
  name: "PLAIN",
  offered: ({ secure, plainInClear }) => secure || plainInClear,
  start: (initial) =>
    initial === undefined
      ? { kind: "challenge", data: new Uint8Array(), next: readMessage }
      : readMessage(initial),
};

/** `[authzid] NUL authcid NUL passwd` (RFC 4616, section 2). */
function readMessage(response: Uint8Array): Step {
  const text = readUtf8(response);
  if (text === undefined) return malformed("its message is not valid UTF-8");
  const parts = text.split("\0");
  const [authorize = "", user = "", password = ""] = parts;
  if (parts.length !== 3) return malformed("its message has not two NULs");
  if (user === "" || password === "") return malformed("a name or password is missing");
  // Nobody may act for another here: an authorization identity is allowed only where it says the same.
  if (authorize !== "" && authorize !== user) return malformed("it asks to act for another user");
  return {
    kind: "credentials",
    credentials: { kind: "password", mechanism: "PLAIN", user, password },
  };
}
