/** The program of a thread that serves mailboxes which are slow to answer: it may read and write the mail folder, and nothing else. */

import { systemClock } from "../../async/clock.ts";
import { countOn, type RunningMoment } from "../../async/running_time.ts";
import { Yielder } from "../../async/yielder.ts";
import { MailThreadHost } from "../../mail/mail_thread/mail_thread_host.ts";
import { storeFactory } from "../../mail/open_mail_store.ts";

/** What it is started with. */
export interface MailWorkerSetup {
  /** To whom it serves mailboxes. */
  readonly port: MessagePort;
  /** The user id of the process. */
  readonly account: number;
  /** The server's running time when this is sent. */
  readonly running: RunningMoment;
}

/** To the main thread. */
export type FromMailWorker =
  /** It does nothing more. */
  | { readonly type: "ended" }
  /** The same, of an error that nothing caught. */
  | { readonly type: "died"; readonly message: string };

/** The thread's own side of its port to the main thread. */
interface ThreadScope {
  postMessage(message: FromMailWorker): void;
  onmessage: ((event: MessageEvent<MailWorkerSetup>) => void) | null;
}

const scope = globalThis as unknown as ThreadScope;

scope.onmessage = ({ data: { port, account, running } }) => {
  const yielder = new Yielder();
  const host: MailThreadHost = new MailThreadHost({
    port,
    yielder,
    storeOf: ({ settings, roots }) =>
      storeFactory({
        yielder,
        running: countOn(running, systemClock),
        account,
        held: () => host,
        roots: () => roots,
        warn: (message, properties) => host.warn(message, properties),
      })(settings),
    end: () => scope.postMessage({ type: "ended" }),
  });
  const die = (event: Event, error: unknown): void => {
    event.preventDefault();
    host.end();
    const message = error instanceof Error ? error.stack ?? error.message : String(error);
    scope.postMessage({ type: "died", message });
  };
  globalThis.addEventListener("error", (event) => die(event, event.error));
  globalThis.addEventListener("unhandledrejection", (event) => die(event, event.reason));
};
