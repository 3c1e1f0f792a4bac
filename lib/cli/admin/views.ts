/** How answers are shown: as text for people, and as values for `--json`. */

import { inUnit } from "../../bytes/units.ts";
import { backupSentence } from "../state_report.ts";
import { UsageError } from "../usage_error.ts";
import { RefusedError } from "../../msmp_client/errors.ts";
import type { Answer } from "../../msmp_client/msmp_client.ts";
import {
  type Figure,
  numberOf,
  readAccess,
  readBackup,
  readBan,
  readFigures,
  readKey,
  readMinute,
  readSession,
  readSetting,
} from "../../msmp_client/records.ts";
import { safe } from "../../terminal/safe_text.ts";
import { table } from "../../terminal/table.ts";

/** What is shown. */
export interface Shown {
  /** Without a line end at its end; empty means that nothing is printed. */
  readonly text: string;
  readonly json: unknown;
}

/** What an answer belongs to. */
export interface ViewContext {
  readonly version: 1 | 2;
  /** What followed the command's words. */
  readonly argument: string;
}

/** Shows an answer. */
export type View = (answer: Answer, context: ViewContext) => Shown;

/** What version 1 calls its three figures. */
const V1_NAMES: Readonly<Record<string, string>> = {
  "pop3.connections": "Total connections",
  "pop3.sessions.peak": "Historical maximum traffic",
  "pop3.bytes.sent": "Total transferred bytes",
};

/** What the server said, as a sentence. */
export function said({ text, lines }: Answer): Shown {
  return {
    text: [text === "" ? "Done" : text, ...lines].map(safe).join("\n"),
    json: { ok: true, message: text, ...lines.length > 0 ? { lines } : {} },
  };
}

/** The lines as they are. */
export function plainLines({ lines }: Answer): Shown {
  return {
    text: lines.map(safe).join("\n"),
    json: lines,
  };
}

/** The users, or how often one came. */
export function users(answer: Answer, context: ViewContext): Shown {
  if (context.argument === "") return plainLines(answer);
  const [line = ""] = answer.lines;
  const parts = /^(.*) (\d+) logs$/.exec(line);
  return {
    text: safe(line),
    json: parts === null ? line : { user: parts[1], logs: Number(parts[2]) },
  };
}

/** A backup that was made: where it is, and what is in it. */
export function backup(answer: Answer): Shown {
  const made = readBackup(answer.lines);
  return { text: safe(backupSentence(made)), json: made };
}

/** One value, alone. */
export function value({ text }: Answer, { argument }: ViewContext): Shown {
  return {
    text: safe(text),
    json: { key: argument, value: text },
  };
}

/** A new app password, alone, so that it can be piped. */
export function secret({ text }: Answer): Shown {
  return { text: safe(text), json: { password: text } };
}

/** Figures, aligned, octets also in a handy unit. */
export function figures({ lines }: Answer, { version, argument }: ViewContext): Shown {
  const all = readFigures(lines);
  if (version === 1 && argument !== "") {
    return oneFigure(argument)({ ok: true, text: "", lines }, {
      version,
      argument,
    });
  }
  const rows = all.map(({ name, value }) => [safe(name), safe(value), handy({ name, value })]);
  return {
    text: table(rows, { right: [1] }),
    json: Object.fromEntries(all.map(({ name, value }) => [name, numberOf(value)])),
  };
}

/** One figure's number, alone. */
export function oneFigure(name: string): View {
  return ({ lines }, { version }) => {
    const wanted = version === 1 ? V1_NAMES[name] : name;
    if (wanted === undefined) {
      throw new RefusedError(`this server speaks MSMP version 1, which does not report ${name}`);
    }
    const figure = readFigures(lines).find((each) => each.name === wanted);
    if (figure === undefined) throw new RefusedError(`the server did not report ${name}`);
    return { text: safe(figure.value), json: { name, value: numberOf(figure.value) } };
  };
}

/** Who is logged in: how many, then their names. */
export function loggedUsers({ lines }: Answer): Shown {
  const names = new Set(lines.map((line) => readSession(line).user).filter((name) => name !== "-"));
  const sorted = [...names].toSorted();
  return {
    text: [String(sorted.length), ...sorted.map(safe)].join("\n"),
    json: { count: sorted.length, users: sorted },
  };
}

/** The open sessions as a table. */
export function sessions({ lines }: Answer): Shown {
  const all = lines.map(readSession);
  const rows = all.map((session) =>
    [
      session.id,
      session.user,
      session.address,
      session.tls,
      session.state,
      session.since,
      inUnit(session.bytes, "octets"),
      session.lastCommand,
    ].map(safe)
  );
  const titles = ["ID", "USER", "ADDRESS", "TLS", "STATE", "SINCE", "SENT", "LAST"];
  return {
    text: rows.length === 0 ? "No sessions" : table(rows, { titles, right: [6] }),
    json: all,
  };
}

/** What the columns of a table of accesses are called, by their names in the record. */
const ACCESS_COLUMNS = {
  time: "TIME (UTC)",
  address: "ADDRESS",
  tls: "TLS",
  mechanism: "BY",
  messages: "MESSAGES",
  octets: "OCTETS",
  deleted: "DELETED",
  ending: "ENDED",
} as const;

/** Accesses, the newest last: as they are in version 1, as a table in version 2. */
export function accesses(answer: Answer): Shown {
  const all = answer.lines.map(readAccess);
  if (all.some((access) => access.mechanism === undefined)) {
    return { ...plainLines(answer), json: all };
  }
  const names = Object.keys(ACCESS_COLUMNS);
  const rows = all.map((access) => names.map((name) => safe(String(access[name] ?? "-"))));
  return {
    text: rows.length === 0
      ? "No accesses"
      : table(rows, { titles: Object.values(ACCESS_COLUMNS), right: [4, 5, 6] }),
    json: all,
  };
}

/** Who is banned. */
export function bans({ lines }: Answer): Shown {
  const all = lines.map(readBan);
  const rows = all.map(({ subject, kind, until, failures }) =>
    [subject, kind, until, String(failures)].map(safe)
  );
  const titles = ["WHO", "KIND", "UNTIL", "FAILURES"];
  return {
    text: rows.length === 0 ? "Nobody is banned" : table(rows, { titles, right: [3] }),
    json: all,
  };
}

/** A user's app passwords. */
export function keys({ lines }: Answer): Shown {
  return {
    text: lines.length === 0 ? "No app passwords" : lines.map(safe).join("\n"),
    json: lines.map(readKey),
  };
}

/** Every setting, aligned. */
export function settings({ lines }: Answer): Shown {
  const all = lines.map(readSetting);
  return {
    text: table(all.map(({ key, value, source }) => [key, value, source].map(safe))),
    json: all,
  };
}

/** Minutes, aligned. */
export function minutes({ lines }: Answer): Shown {
  const all = lines.map(readMinute);
  return {
    text: table(all.map(({ time, value }) => [safe(time), String(value)]), { right: [1] }),
    json: all,
  };
}

/** Octets in a handy unit, where the figure is octets and large; the unit, where it is no count. */
function handy({ name, value }: Figure): string {
  if (name.endsWith(".duration")) return "ms";
  const octets = /bytes/.test(name) ? Number(value) : NaN;
  return octets >= 1000 ? `(${inUnit(octets, "octets")})` : "";
}

/** Refuses what version 1 cannot. */
export function needsVersion2(what: string, version: 1 | 2): void {
  if (version === 1) {
    throw new RefusedError(`this server speaks MSMP version 1, which does not have ${what}`);
  }
}

/** Says what a command wants. */
export function wants(words: string, usage: string): UsageError {
  return new UsageError(
    usage === "" ? `${words} takes nothing more` : `expected ${words} ${usage}`,
  );
}
