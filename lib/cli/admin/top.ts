/** `top`: asks the server for its figures every second and shows them full-screen until `q`. */

import type { Keyboard } from "../../terminal/keyboard.ts";
import { print } from "../../terminal/output.ts";
import type { AdminSession } from "./admin_session.ts";
import { NoConnectionError, RefusedError } from "../../msmp_client/errors.ts";
import { numberOf, readFigures, readMinute, readSession } from "../../msmp_client/records.ts";
import { json } from "../../terminal/safe_text.ts";
import { COURSES, type Size, topLines, type TopPicture } from "./top_view.ts";

/** What `top` needs. */
export interface TopOptions {
  readonly session: AdminSession;
  /** How the server is called. */
  readonly place: string;
  /** The terminal's keys; undefined where there is no terminal, and one picture is printed. */
  readonly keyboard: Keyboard | undefined;
  readonly json: boolean;
}

/** Milliseconds between two pictures. */
const INTERVAL = 1000;
/** Minutes of the sparklines. */
const MINUTES = 60;
/** The size of the picture that is printed where there is no terminal. */
const PLAIN: Size = { columns: 120, rows: 10_000 };

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[?25h\x1b[?1049l";

/**
 * Runs until the user leaves; without a terminal, prints one picture.
 *
 * @throws {RefusedError} when the server speaks version 1
 * @throws {NoConnectionError} when there is no server at the start; one that is lost later is looked for again
 */
export async function top(options: TopOptions): Promise<void> {
  const first = await look(options);
  if (options.json) {
    const { figures, minutes, sessions } = first;
    const picture = {
      figures: Object.fromEntries(figures),
      minutes: Object.fromEntries(minutes),
      sessions,
    };
    print(`${json(picture)}\n`);
  } else if (options.keyboard === undefined) {
    print(`${topLines(first, PLAIN).join("\n")}\n`);
  } else await live(options, options.keyboard, first);
}

async function live(options: TopOptions, keyboard: Keyboard, first: TopPicture): Promise<void> {
  const screen = new Screen(first);
  const leaving = new AbortController();
  keyboard.take(() => print(LEAVE));
  print(ENTER);
  const resized = (): void => screen.draw();
  Deno.addSignalListener("SIGWINCH", resized);
  try {
    screen.draw();
    await Promise.all([
      keys(keyboard, leaving, resized),
      refresh(options, screen, leaving.signal),
    ]);
  } finally {
    Deno.removeSignalListener("SIGWINCH", resized);
    print(LEAVE);
    keyboard.release();
  }
}

/** The screen and the picture on it. */
class Screen {
  picture: TopPicture;

  constructor(picture: TopPicture) {
    this.picture = picture;
  }

  draw(): void {
    const size = Deno.consoleSize();
    const lines = topLines(this.picture, size);
    // Each line is drawn over the old one, so that nothing flickers.
    print(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join("\r\n")}\x1b[J`);
  }
}

async function keys(
  keyboard: Keyboard,
  leaving: AbortController,
  redraw: () => void,
): Promise<void> {
  try {
    while (!leaving.signal.aborted) {
      const key = await keyboard.next(leaving.signal);
      if (key === undefined || key.kind === "cancel" || key.kind === "end-of-input") return;
      if (key.kind === "escape" || (key.kind === "text" && /q/i.test(key.text))) return;
      if (key.kind === "clear-screen") redraw();
    }
  } finally {
    leaving.abort();
  }
}

async function refresh(options: TopOptions, screen: Screen, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(INTERVAL, signal);
    if (signal.aborted) return;
    try {
      screen.picture = await look(options);
    } catch (error) {
      if (!(error instanceof NoConnectionError) && !(error instanceof RefusedError)) throw error;
      screen.picture = { ...screen.picture, notice: `${error.message}; trying again` };
    }
    if (!signal.aborted) screen.draw();
  }
}

/** Asks for everything that the picture shows. */
async function look({ session, place }: TopOptions): Promise<TopPicture> {
  const ask = async (line: string): Promise<readonly string[]> => {
    const answer = await session.request((version) => {
      if (version === 1) {
        throw new RefusedError("top needs MSMP version 2; this server speaks version 1");
      }
      return line;
    });
    if (!answer.ok) throw new RefusedError(answer.text);
    return answer.lines;
  };
  const figures = new Map<string, number>();
  for (const { name, value } of readFigures(await ask("STAT"))) {
    const number = numberOf(value);
    if (typeof number === "number") figures.set(name, number);
  }
  const minutes = new Map<string, readonly number[]>();
  for (const { name } of COURSES) {
    const rows = (await ask(`HISTORY ${name} ${MINUTES}`)).map(readMinute);
    minutes.set(name, rows.map(({ value }) => value));
  }
  const sessions = (await ask("SESSIONS")).map(readSession);
  return { place, now: Date.now(), figures, minutes, sessions };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done);
  });
}
