/** The program of the thread that takes mail by LMTP: its port, the folders of mailboxes, and nothing else. */

import { type HeldFolders, HelperError } from "../../contracts/held_folders.ts";
import { forwardLogging, logger } from "../../log/logging.ts";
import { LmtpServer } from "../../lmtp/server.ts";
import type { DeliveryFact, LmtpServices, Recipient } from "../../lmtp/services.ts";
import { MailboxDelivery } from "../../mail/delivery/mailbox_delivery.ts";
import { traceHeader } from "../../mail/delivery/trace_header.ts";
import { noHelper } from "../../mail/held/no_helper.ts";
import { readPlace } from "../../mail/naming/place_template.ts";
import { readIds } from "../../mail/places/file_ids.ts";
import { forwardLines } from "../worker_log.ts";
import type { FromLmtp, LmtpAnswer, LmtpQuestion, LmtpSetup, ToLmtp } from "./messages.ts";

const log = logger("lmtp");

/** The thread's own side of its port to the main thread. */
interface LmtpScope {
  postMessage(message: FromLmtp): void;
  onmessage: ((event: MessageEvent<ToLmtp>) => void) | null;
}

const scope = globalThis as unknown as LmtpScope;
const post = (message: FromLmtp): void => scope.postMessage(message);

/** Everything that the setup brings into being. */
class LmtpThread {
  readonly #server: LmtpServer | undefined;
  readonly #waiting = new Map<number, (answer: LmtpAnswer) => void>();
  readonly #setLevel: (level: LmtpSetup["settings"]["logLevel"]) => void;
  #calls = 0;

  constructor(setup: LmtpSetup) {
    const { settings, place } = setup;
    this.#setLevel = forwardLogging(settings.logLevel, forwardLines(post));
    try {
      this.#server = new LmtpServer(place, settings.lmtpNetworks, this.#services(setup));
    } catch (error) {
      post({ type: "cannot-listen", why: error instanceof Error ? error.message : String(error) });
      return;
    }
    this.#server.run();
    const { address } = this.#server;
    if ("hostname" in address) {
      post({ type: "listening", address: address.hostname, port: address.port });
    } else post({ type: "listening", address: "path" in place ? place.path : "", port: 0 });
  }

  obey(message: ToLmtp): void {
    switch (message.type) {
      case "setup":
        return;
      case "answer": {
        const resolve = this.#waiting.get(message.call);
        this.#waiting.delete(message.call);
        return resolve?.(message.answer);
      }
      case "level":
        return this.#setLevel(message.level);
      case "close":
        return void (this.#server?.close(message.patience) ?? Promise.resolve())
          .then(() => post({ type: "closed" }));
    }
  }

  #ask(question: LmtpQuestion): Promise<LmtpAnswer> {
    const call = ++this.#calls;
    return new Promise((resolve) => {
      this.#waiting.set(call, resolve);
      post({ type: "ask", call, question });
    });
  }

  #services({ settings, roots, account, pid }: LmtpSetup): LmtpServices {
    const { serverName, maxMessageSize, defaultDomain, mailbox, ids, quota } = settings;
    const delivery = new MailboxDelivery({
      root: roots.maildir.real,
      given: roots.maildir.given,
      homes: roots.homes,
      template: mailbox === undefined ? undefined : readPlace(mailbox),
      ids: readIds(ids, account),
      ...defaultDomain !== undefined && { defaultDomain },
      ...{ account, pid, quota, hostName: serverName, held: this.#held() },
      warn: (text, properties) => log.warn(text, properties ?? {}),
    });
    return {
      serverName,
      maxMessageSize,
      recipient: (address) => this.#recipient(address, delivery),
      delivered: (fact) => log.info("Delivered to {to} from {from}: {size} octets", { ...fact }),
      refused: ({ error, ...fact }) =>
        log.warn("Refused a message to {to} from {from}: {error}", {
          ...(fact satisfies DeliveryFact),
          error: error.message,
        }),
    };
  }

  async #recipient(address: string, delivery: MailboxDelivery): Promise<Recipient | undefined> {
    const answer = await this.#ask({ kind: "find", address });
    if (answer.kind !== "found") {
      throw new Error(answer.kind === "failed" ? answer.why : "The main thread answered otherwise");
    }
    if (answer.recipient === undefined) return undefined;
    const { user, record } = answer.recipient;
    return {
      check: (size) => delivery.check(user, record, size),
      open: async (from) => {
        const message = await delivery.open(user, record);
        await message.write(new TextEncoder().encode(traceHeader({ from, to: address })));
        return {
          write: (octets) => message.write(octets),
          deliver: () => delivery.deliver(user, record, message),
          [Symbol.asyncDispose]: () => message[Symbol.asyncDispose](),
        };
      },
    };
  }

  #held(): HeldFolders {
    return {
      run: async (request, root) => {
        const answer = await this.#ask({ kind: "hold", request, root });
        if (answer.kind !== "held") throw new HelperError("The main thread did not answer");
        if (answer.answer.kind === "done") return answer.answer.octets;
        throw answer.answer.why === undefined ? noHelper() : new HelperError(answer.answer.why);
      },
    };
  }
}

/** The main thread ends this one and says why in its log. */
function die(event: Event, error: unknown): void {
  event.preventDefault();
  const message = error instanceof Error ? error.message : String(error);
  post({ type: "died", message: message.slice(0, 4096) });
}
globalThis.addEventListener("error", (event) => die(event, event.error));
globalThis.addEventListener("unhandledrejection", (event) => die(event, event.reason));

let thread: LmtpThread | undefined;
scope.onmessage = ({ data }) => {
  if (data.type === "setup") thread = new LmtpThread(data.setup);
  else thread?.obey(data);
};
