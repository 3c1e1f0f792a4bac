/** Work in held folders as a session worker has it done: by the main thread, which alone may run the program for it. */

import { Semaphore } from "../../async/semaphore.ts";
import { type HeldFolders, HelperError } from "../../contracts/held_folders.ts";
import { MOST_REQUESTS } from "../../mail/held/held_mailbox.ts";
import { noHelper } from "../../mail/held/no_helper.ts";
import type { MainCalls } from "./main_calls.ts";

/** {@linkcode HeldFolders} of the worker's mail folder. */
export class RemoteHeldFolders implements HeldFolders {
  readonly #calls: MainCalls;
  /** The main thread does not listen to a worker that asks for more at once. */
  readonly #turns = new Semaphore(MOST_REQUESTS);

  constructor(calls: MainCalls) {
    this.#calls = calls;
  }

  async run(request: Uint8Array<ArrayBuffer>, root?: string): Promise<Uint8Array<ArrayBuffer>> {
    using _turn = await this.#turns.enter(new AbortController().signal);
    const answer = await this.#calls.call("holdFolders", [request, root]);
    if (answer.kind === "done") return answer.octets;
    throw answer.why === undefined ? noHelper() : new HelperError(answer.why);
  }
}
