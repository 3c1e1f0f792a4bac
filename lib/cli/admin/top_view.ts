/** Draws one picture of the live view as lines of text, for whatever size there is. */

import { elapsed, inUnit, type Unit } from "../../bytes/units.ts";
import type { SessionRecord } from "../../msmp_client/records.ts";
import { safe } from "../../terminal/safe_text.ts";
import { sparkline } from "../../terminal/sparkline.ts";
import { fit, pad, textWidth } from "../../terminal/text_width.ts";

/** What is drawn. */
export interface TopPicture {
  /** How the server is called: `127.0.0.1:4321`. */
  readonly place: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Every figure by its name. */
  readonly figures: ReadonlyMap<string, number>;
  /** The last minutes of a figure by its name, the oldest first. */
  readonly minutes: ReadonlyMap<string, readonly number[]>;
  readonly sessions: readonly SessionRecord[];
  /** Said in the first line, such as that the connection is lost. */
  readonly notice?: string | undefined;
}

/** Where it is drawn. */
export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** A row with a sparkline. */
interface Course {
  readonly title: string;
  readonly name: string;
  readonly unit: Unit;
}

/** What is drawn over the minutes. */
export const COURSES: readonly Course[] = [
  { title: "Sessions open", name: "pop3.sessions.active", unit: "count" },
  { title: "Logins", name: "pop3.logins", unit: "count" },
  { title: "Failed logins", name: "pop3.auth.failures", unit: "count" },
  { title: "Messages retrieved", name: "pop3.messages.retrieved", unit: "count" },
  { title: "Messages deleted", name: "pop3.messages.deleted", unit: "count" },
  { title: "Octets sent", name: "pop3.bytes.sent", unit: "octets" },
];

const TITLES = ["USER", "ADDRESS", "TLS", "STATE", "FOR", "SENT", "LAST", "ID"];
/** Columns of numbers. */
const RIGHT = new Set([4, 5]);

/** Draws the picture: never more lines than rows, never wider than the columns. */
export function topLines(picture: TopPicture, size: Size): string[] {
  const { sessions } = picture;
  const head = [headLine(picture, size.columns), "", ...courseLines(picture, size.columns), ""];
  const room = size.rows - head.length - 1;
  const rows = sessionRows(sessions, picture.now);
  const shown = rows.length > room ? rows.slice(0, Math.max(0, room - 1)) : rows;
  const lines = [...head, ...columnLines(shown, size.columns)];
  if (shown.length < rows.length) lines.push(`… ${rows.length - shown.length} more sessions`);
  return lines.slice(0, size.rows).map((line) => fit(line, size.columns));
}

function headLine({ place, now, figures, notice }: TopPicture, columns: number): string {
  const time = `${new Date(now).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const active = inUnit(figures.get("pop3.sessions.active") ?? 0, "count");
  const peak = inUnit(figures.get("pop3.sessions.peak") ?? 0, "count");
  const left = `Postern at ${place}  sessions: ${active}, at most ${peak}`;
  const right = notice === undefined ? time : safe(notice);
  const gap = columns - textWidth(left) - textWidth(right);
  return gap > 1 ? left + " ".repeat(gap) + right : `${left}  ${right}`;
}

function courseLines({ figures, minutes }: TopPicture, columns: number): string[] {
  const titleWidth = Math.max(...COURSES.map(({ title }) => title.length));
  return COURSES.map(({ title, name, unit }) => {
    const total = pad(inUnit(figures.get(name) ?? 0, unit), 10, "start");
    const course = minutes.get(name) ?? [];
    const latest = course.at(-1);
    const perMinute = name === "pop3.sessions.active" || latest === undefined
      ? ""
      : `${inUnit(latest, unit)}/min`;
    const width = Math.min(60, columns - titleWidth - 10 - 14 - 4);
    const bars = width > 4 ? sparkline(course, width) : "";
    return `${pad(title, titleWidth)} ${total} ${pad(perMinute, 14, "start")}  ${bars}`.trimEnd();
  });
}

function sessionRows(sessions: readonly SessionRecord[], now: number): string[][] {
  return sessions.map((session) => {
    const since = Date.parse(session.since);
    return [
      session.user,
      session.address,
      session.tls,
      session.state,
      Number.isNaN(since) ? session.since : elapsed(now - since),
      inUnit(session.bytes, "octets"),
      session.lastCommand,
      session.id,
    ].map(safe);
  });
}

/** Lays sessions out; a user's name gives way first where there is not room for all. */
function columnLines(rows: readonly string[][], columns: number): string[] {
  if (rows.length === 0) return ["No sessions"];
  const all = [TITLES, ...rows];
  const widths = TITLES.map((_, at) => Math.max(...all.map((row) => textWidth(row[at]!))));
  const sum = widths.reduce((total, width) => total + width + 2, -2);
  widths[0] = Math.max(8, widths[0]! - Math.max(0, sum - columns));
  return all.map((row) =>
    row.map((cell, at) => pad(fit(cell, widths[at]!), widths[at]!, RIGHT.has(at) ? "start" : "end"))
      .join("  ").trimEnd()
  );
}
