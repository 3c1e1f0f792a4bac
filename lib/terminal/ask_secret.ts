/** Asks for a password on the terminal without showing it. */

import type { Keyboard } from "./keyboard.ts";
import { write } from "./output.ts";

/**
 * Asks once.
 *
 * @param question with a colon and a blank at its end
 * @returns undefined when the user pressed Ctrl-C or Ctrl-D, or the terminal is gone
 */
export async function askSecret(keyboard: Keyboard, question: string): Promise<string | undefined> {
  // Before the question is seen: whoever answers at once must not see the answer.
  keyboard.take();
  try {
    write(question);
    let secret = "";
    for (;;) {
      const key = await keyboard.next();
      if (key === undefined || key.kind === "cancel") return undefined;
      if (key.kind === "enter") return secret;
      if (key.kind === "text") secret += key.text;
      else if (key.kind === "backspace") secret = Array.from(secret).slice(0, -1).join("");
      else if (key.kind === "erase-before") secret = "";
      else if (key.kind === "end-of-input" && secret === "") return undefined;
    }
  } finally {
    keyboard.release();
    write("\r\n");
  }
}

/**
 * Asks for a new password, twice, until both are the same.
 *
 * @returns undefined as {@linkcode askSecret} does, or when nothing was typed
 */
export async function askNewSecret(keyboard: Keyboard, name: string): Promise<string | undefined> {
  for (;;) {
    const first = await askSecret(keyboard, `New password of ${name}: `);
    if (first === undefined || first === "") return undefined;
    const second = await askSecret(keyboard, "Once more: ");
    if (second === undefined) return undefined;
    if (second === first) return first;
    write("They differ.\r\n");
  }
}
