/** Reads the lines of answers: figures, sessions, minutes. Their form is docs/msmp.md's. */

/** One line `name: value`. */
export interface Figure {
  readonly name: string;
  readonly value: string;
}

/** Reads `name: value` lines; a line without a colon has an empty value. */
export function readFigures(lines: readonly string[]): Figure[] {
  return lines.map((line) => {
    const at = line.indexOf(": ");
    return at < 0
      ? { name: line, value: "" }
      : { name: line.slice(0, at), value: line.slice(at + 2).trimStart() };
  });
}

/** A figure's value as a number where it is one. */
export function numberOf(value: string): number | string {
  return /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
}

/** A session as SESSIONS and WATCH tell it. */
export interface SessionRecord {
  readonly id: string;
  /** `-` before login. */
  readonly user: string;
  readonly address: string;
  /** The TLS version, or `-`. */
  readonly tls: string;
  readonly state: string;
  readonly since: string;
  /** Octets sent. */
  readonly bytes: number;
  readonly lastCommand: string;
}

/** Reads a line of SESSIONS. */
export function readSession(line: string): SessionRecord {
  const [
    id = "",
    user = "",
    address = "",
    tls = "",
    state = "",
    since = "",
    bytes = "",
    last = "",
  ] = line.split(" ").map(unescaped);
  return { id, user, address, tls, state, since, bytes: Number(bytes) || 0, lastCommand: last };
}

/** An access as LOGS tells it; version 1 tells time and address. */
export type AccessRecord = Readonly<Record<string, string | number>>;

/** Reads a line of LOGS: `<time> IP: <address>`, and in version 2 `name=value` fields behind it. */
export function readAccess(line: string): AccessRecord {
  const parts = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) IP: (\S+)(.*)$/.exec(line);
  if (parts === null) return { line };
  const [, time = "", address = "", more = ""] = parts;
  const fields = Array.from(more.matchAll(/ ([a-z]+)=(\S*)/g), ([, name = "", value = ""]) => {
    return [name, numberOf(unescaped(value))] as const;
  });
  return { time, address, ...Object.fromEntries(fields) };
}

/** A setting as SETTINGS tells it. */
export interface SettingRecord {
  readonly key: string;
  readonly value: string;
  readonly source: string;
}

/** Reads a line of SETTINGS: `<key>: <value> (<source>)`. */
export function readSetting(line: string): SettingRecord {
  const [, key = line, value = "", source = ""] = /^(\S+): (.*) \((\w+)\)$/.exec(line) ?? [];
  return { key, value, source };
}

/** A minute as HISTORY tells it. */
export interface MinuteRecord {
  /** `2026-01-31 12:00`, UTC. */
  readonly time: string;
  readonly value: number;
}

/** Reads a line of HISTORY. */
export function readMinute(line: string): MinuteRecord {
  const at = line.lastIndexOf(" ");
  return { time: line.slice(0, at), value: Number(line.slice(at + 1)) };
}

/** A ban as BANS tells it. */
export interface BanRecord {
  readonly subject: string;
  readonly kind: string;
  readonly until: string;
  readonly failures: number;
}

/** Reads a line of BANS. */
export function readBan(line: string): BanRecord {
  const [subject = "", kind = "", until = "", failures = ""] = line.split(" ").map(unescaped);
  return { subject, kind, until, failures: Number(failures) };
}

/** A backup as BACKUP tells it. */
export interface BackupRecord {
  /** On the server's machine. */
  readonly path: string;
  readonly users: number;
  readonly administrators: number;
  readonly octets: number;
}

/** Reads the lines of BACKUP, `name: value` each. */
export function readBackup(lines: readonly string[]): BackupRecord {
  const values = new Map(readFigures(lines).map(({ name, value }) => [name, value]));
  const amount = (name: string): number => Number(values.get(name) ?? 0);
  return {
    path: values.get("path") ?? "",
    users: amount("users"),
    administrators: amount("administrators"),
    octets: amount("octets"),
  };
}

/** An app password as KEY LIST tells it. */
export interface KeyRecord {
  readonly label: string;
  readonly made: string;
  readonly expires?: string;
  readonly networks?: readonly string[];
  readonly readOnly?: boolean;
  /** When and from where it was used last. */
  readonly used?: string;
  readonly from?: string;
}

/** Reads a line of KEY LIST: `<day> <time> <label> [expires=…] [networks=…] [read-only] [used=… from=…]`. */
export function readKey(line: string): KeyRecord {
  const TERM = / (?:(expires|networks|used|from)=(\S+)|read-only)$/;
  let label = line.slice(20);
  const found = new Map<string, string>();
  for (let term = TERM.exec(label); term !== null; term = TERM.exec(label)) {
    found.set(term[1] ?? "read-only", term[2] ?? "");
    label = label.slice(0, term.index);
  }
  const [expires, used, from] = ["expires", "used", "from"].map((name) => found.get(name));
  const networks = found.get("networks")?.split(",");
  return {
    label,
    made: line.slice(0, 19),
    ...(expires !== undefined && { expires }),
    ...(networks !== undefined && { networks }),
    ...(found.has("read-only") && { readOnly: true }),
    ...(used !== undefined && { used }),
    ...(from !== undefined && { from }),
  };
}

/** In fields between blanks, a blank stands as `\x20`. */
function unescaped(field: string): string {
  return field.replaceAll("\\x20", " ");
}
