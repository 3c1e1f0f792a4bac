/** `postern serve`: starts the server and stays until it is told to end. */

import { LogFileError } from "../log/log_file.ts";
import { logger, type Logging, startLogging } from "../log/logging.ts";
import { Server } from "../app/server.ts";
import { StartError } from "../net/start_error.ts";
import type { GivenFlags, SettingInputs } from "../settings/resolve.ts";
import { startSettings } from "../settings/absolute_paths.ts";
import { loadConfig } from "../settings/load_config.ts";
import { printConfig } from "../settings/print_config.ts";
import { resolveSettings } from "../settings/resolve.ts";
import type { Settings } from "../contracts/settings.ts";
import { readKept, type StatePlace } from "../state/open_state.ts";
import { StateStoreError } from "../contracts/state_store.ts";
import { VERSION } from "../version.ts";
import type { Command } from "./commands.ts";
import { parseServeArguments, serveHelp } from "./serve_arguments.ts";
import { complain, printLine } from "../terminal/output.ts";

const log = logger("server");

/** The server. */
export const serve: Command = {
  name: "serve",
  summary: "the server; the default command",
  async run(args: readonly string[]): Promise<number> {
    const asked = parseServeArguments(args);
    if (asked.kind === "help") return printLine(serveHelp().trimEnd());
    if (asked.kind === "version") return printLine(`postern ${VERSION}`);
    const inputs = await readInputs(asked.flags);
    if (asked.kind === "print-config") {
      const kept = await keptSettings(resolveSettings(inputs).settings);
      return printLine(printConfig(resolveSettings({ ...inputs, kept })).trimEnd());
    }
    return await runServer(inputs, asked.newState);
  },
};

async function readInputs(flags: GivenFlags): Promise<SettingInputs> {
  const environment = Deno.env;
  const machine = { hostName: Deno.hostname(), cores: navigator.hardwareConcurrency };
  const folder = Deno.cwd();
  const config = await loadConfig({ flags, environment, machine, folder });
  return { flags, environment, machine, folder, config };
}

/** What SET kept in earlier runs; where the state cannot be read, that is said on standard error. */
async function keptSettings(place: StatePlace): Promise<ReadonlyMap<string, string>> {
  try {
    return await readKept(place);
  } catch (error) {
    if (!(error instanceof StateStoreError)) throw error;
    complain(`postern: settings saved by SET are not shown: ${error.message}`);
    return new Map();
  }
}

async function runServer(inputs: SettingInputs, newState: boolean): Promise<number> {
  const settings = startSettings(inputs);
  await using logging = openLog(settings);
  if (logging === undefined) return 1;
  using _faults = onUncaught(logging);
  using signals = new Signals();
  const starting = Server.start({
    inputs,
    newState,
    logging,
    path: Deno.env.get("PATH") ?? "",
    telemetry: Deno.env.get("OTEL_DENO") === "true",
  });
  let server: Server | "hurry";
  try {
    server = await Promise.race([starting, signals.hurried]);
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    return await refuseStart(error, settings, logging);
  }
  // Nobody was served: what has started goes with the process.
  if (server === "hurry") return 0;
  log.info("ready", {
    listeners: server.listeners,
    maildir: server.settings.settings.maildir,
    version: VERSION,
  });
  using _hangUp = onHangUp(server);
  // SHUTDOWN counts as the first signal: the next one ends at once.
  void server.asked.then(() => signals.take());
  const { hurry } = await signals.asked;
  const { grace } = server.settings.settings;
  log.info("Shutting down: waiting up to {grace} s for sessions", { grace });
  await server.shutdown(hurry);
  log.info("Stopped");
  return 0;
}

/** Says once why there is no server: plainly on standard error, as for a wrong flag, and in the log file where there is one. */
async function refuseStart(
  error: StartError,
  { logFile }: Settings,
  logging: Logging,
): Promise<number> {
  if (logFile !== undefined) {
    log.error("The server did not start: {reason}", { reason: error.message });
  }
  // What was logged before comes first.
  await logging.flush();
  complain(`postern: ${error.message}`);
  return 1;
}

/** Starts the log. Where it cannot be written, that is said on standard error, and there is none. */
function openLog({ logLevel, logFormat, logFile }: Settings): Logging | undefined {
  try {
    return startLogging({ level: logLevel, format: logFormat, file: logFile });
  } catch (error) {
    if (!(error instanceof LogFileError)) throw error;
    complain(`postern: ${error.message}`);
    return undefined;
  }
}

/** SIGHUP reads files again; what is wrong with them is in the log. */
function onHangUp(server: Server): Disposable {
  const reload = async (): Promise<void> => {
    try {
      const { changes } = await server.reload();
      log.info("Reloaded on SIGHUP", { changes });
    } catch (error) {
      log.error("Reload on SIGHUP failed in part: {error}", { error });
    }
  };
  Deno.addSignalListener("SIGHUP", reload);
  return { [Symbol.dispose]: () => Deno.removeSignalListener("SIGHUP", reload) };
}

/** An error that nothing caught ends the program; its log says why. */
function onUncaught(logging: Logging): Disposable {
  const end = async (event: Event, error: unknown): Promise<void> => {
    event.preventDefault();
    log.fatal("An error that nothing caught ends the program: {error}", { error });
    await logging.flush();
    Deno.exit(1);
  };
  const thrown = (event: ErrorEvent): void => void end(event, event.error);
  const rejected = (event: PromiseRejectionEvent): void => void end(event, event.reason);
  globalThis.addEventListener("error", thrown);
  globalThis.addEventListener("unhandledrejection", rejected);
  return {
    [Symbol.dispose]: () => {
      globalThis.removeEventListener("error", thrown);
      globalThis.removeEventListener("unhandledrejection", rejected);
    },
  };
}

/** SIGTERM and SIGINT: the first asks to end, the second to end at once. */
class Signals implements Disposable {
  readonly #asked = Promise.withResolvers<{ hurry: AbortSignal }>();
  readonly #hurry = new AbortController();
  #times = 0;
  /** Takes a signal. */
  readonly take = (): void => {
    if (++this.#times === 1) this.#asked.resolve({ hurry: this.#hurry.signal });
    else this.#hurry.abort();
  };

  constructor() {
    Deno.addSignalListener("SIGTERM", this.take);
    Deno.addSignalListener("SIGINT", this.take);
  }

  /** Settles at the second signal. */
  get hurried(): Promise<"hurry"> {
    const { promise, resolve } = Promise.withResolvers<"hurry">();
    const { signal } = this.#hurry;
    if (signal.aborted) resolve("hurry");
    else signal.addEventListener("abort", () => resolve("hurry"), { once: true });
    return promise;
  }

  /** Settles at the first signal; the signal in it is aborted at the second. */
  get asked(): Promise<{ hurry: AbortSignal }> {
    return this.#asked.promise;
  }

  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGTERM", this.take);
    Deno.removeSignalListener("SIGINT", this.take);
  }
}
