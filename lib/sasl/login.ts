/** SASL LOGIN (draft-murchison-sasl-login): name and password one after the other, for old clients. */

import { malformed, type Mechanism, readUtf8, type Step } from "./mechanism.ts";

// Some clients look at these words, with the colon and without a NUL behind it.
const ASK_USER = new TextEncoder().encode("Username:");
const ASK_PASSWORD = new TextEncoder().encode("Password:");

export const login: Mechanism = {
  name: "LOGIN",
  offered: ({ secure, plainInClear }) => secure || plainInClear,
  // Clients that send an initial response put the name into it; an empty one is no name.
  start: (initial) =>
    initial === undefined || initial.length === 0
      ? { kind: "challenge", data: ASK_USER, next: readUser }
      : readUser(initial),
};

function readUser(response: Uint8Array): Step {
  const user = readUtf8(response);
  if (user === undefined || user === "") return malformed("its user name is empty or not UTF-8");
  return {
    kind: "challenge",
    data: ASK_PASSWORD,
    next: (answer) => readPassword(user, answer),
  };
}

function readPassword(user: string, response: Uint8Array): Step {
  const password = readUtf8(response);
  if (password === undefined || password === "") {
    return malformed("its password is empty or not UTF-8");
  }
  return {
    kind: "credentials",
    credentials: { kind: "password", mechanism: "LOGIN", user, password },
  };
}
