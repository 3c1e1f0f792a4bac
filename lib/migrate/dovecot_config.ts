/** Makes a configuration of `doveconf -n`'s output (Dovecot 2.3 and 2.4), and says of each setting that has no equal what to do. */

/** A setting of Dovecot, with the blocks that it stands in. */
interface DovecotSetting {
  /** `passdb`, `service pop3-login`, `inet_listener pop3`. */
  readonly blocks: readonly string[];
  readonly name: string;
  readonly value: string;
}

/** What a setting comes to. */
interface Translation {
  /** Lines of the configuration file: key and value as TOML. */
  readonly set?: Readonly<Record<string, string>>;
  /** What the administrator must know. */
  readonly note?: string;
  /** Whether the setting needs no equal, so that nothing is said. */
  readonly silent?: boolean;
}

/** A text that is no output of doveconf. */
export class DovecotConfigError extends Error {
  override name = "DovecotConfigError";
}

const SILENT: Translation = { silent: true };

/**
 * Translates a configuration.
 *
 * @param text what `doveconf -n` printed
 * @returns lines of a configuration file
 * @throws {DovecotConfigError} when it is none
 */
export function translateDovecot(text: string): string[] {
  const settings = readSettings(text);
  if (settings.length === 0) {
    throw new DovecotConfigError("it holds no settings: expected the output of doveconf -n");
  }
  const values = new Map<string, string>();
  const notes: string[] = [];
  for (const setting of settings) {
    const { set = {}, note, silent = false } = translate(setting, settings);
    for (const [key, value] of Object.entries(set)) values.set(key, value);
    const where = [...setting.blocks, setting.name].join(" / ");
    const shown = `${where} = ${/pass|secret|key/i.test(setting.name) ? "…" : setting.value}`;
    if (note !== undefined) notes.push(`# ${shown}: ${note}`);
    else if (!silent && Object.keys(set).length === 0) notes.push(`# ${shown}: no equal`);
  }
  return [...[...values].map(([key, value]) => `${key} = ${value}`), ...notes];
}

/** Reads `name = value` and blocks in braces. */
function readSettings(text: string): DovecotSetting[] {
  const settings: DovecotSetting[] = [];
  const blocks: string[] = [];
  for (const [at, given] of text.split(/\r?\n/).entries()) {
    const line = given.trim();
    if (line === "" || line.startsWith("#")) continue;
    const [, block] = /^(.*\S)\s*\{$/.exec(line) ?? [];
    if (block !== undefined) blocks.push(block);
    else if (line === "}") {
      if (blocks.pop() === undefined) {
        throw new DovecotConfigError(`line ${at + 1} closes a block that is not open`);
      }
    } else {
      const [, name, value] = /^([^=\s]+)\s*=\s*(.*)$/.exec(line) ?? [];
      if (name === undefined || value === undefined) {
        throw new DovecotConfigError(`line ${at + 1} is not of the form name = value`);
      }
      settings.push({ blocks: [...blocks], name, value: unquoted(value) });
    }
  }
  if (blocks.length > 0) throw new DovecotConfigError(`the block ${blocks.at(-1)} is not closed`);
  return settings;
}

function unquoted(value: string): string {
  const [, inside] = /^"(.*)"$/.exec(value) ?? [];
  return inside ?? value;
}

const text = (value: string): string => JSON.stringify(value);
const isYes = (value: string): boolean => /^(?:yes|y|1|true)$/i.test(value);
/** A file that a setting reads, by 2.3's `<` or 2.4's own name for it. */
const file = (value: string): string => text(value.replace(/^<\s*/, ""));

const BEHIND_HOOK =
  "users of this kind are not read; export them (postern import users), or let --auth-hook ask for them";

/** Settings outside of blocks. */
const PLAIN: Readonly<Record<string, (value: string) => Translation>> = {
  mail_location: location,
  mail_path: (value) => location(`maildir:${value}`),
  mail_inbox_path: () => SILENT,
  mail_driver: (value) =>
    value === "maildir" ? SILENT : { note: "Maildir alone is served: convert by doveadm sync" },
  mail_home: (value) => ({
    note: `homes lie so; --homes names the folder that ${value} lies in`,
  }),
  ssl_cert: (value) => ({ set: { "tls-cert": `[${file(value)}]` } }),
  ssl_key: (value) => ({ set: { "tls-key": `[${file(value)}]` } }),
  ssl_server_cert_file: (value) => ({ set: { "tls-cert": `[${file(value)}]` } }),
  ssl_server_key_file: (value) => ({ set: { "tls-key": `[${file(value)}]` } }),
  ssl: (value) => value === "required" ? { set: { "require-tls": "true" } } : SILENT,
  disable_plaintext_auth: (value) => isYes(value) ? { set: { "require-tls": "true" } } : SILENT,
  auth_allow_cleartext: (value) => isYes(value) ? SILENT : { set: { "require-tls": "true" } },
  listen: (value) => {
    const addresses = value.split(/[ ,]+/).filter((each) => each !== "");
    const isAll = addresses.every((each) => each === "*" || each === "::");
    return isAll ? SILENT : { set: { listen: `[${addresses.map(text).join(", ")}]` } };
  },
  auth_default_realm: (value) => ({ set: { "default-domain": text(value) } }),
  auth_default_domain: (value) => ({ set: { "default-domain": text(value) } }),
  auth_username_format: (value) => {
    const isWhole = /^%L?u$|^%\{user( *\| *lower)?\}$/.test(value);
    if (!isWhole) return { note: "names are taken whole: see --default-domain and --names" };
    return /L|lower/.test(value) ? { set: { names: text("lower") } } : SILENT;
  },
  auth_mechanisms: () => SILENT,
  recipient_delimiter: (value) => ({ set: { "recipient-delimiter": text(value) } }),
  mail_max_userip_connections: () => ({
    note: "one session of a user at a time by default: --max-sessions-per-user",
  }),
  pop3_no_flag_updates: (value) => isYes(value) ? { set: { "no-flag-updates": "true" } } : SILENT,
  pop3_enable_last: (value) => isYes(value) ? { set: { "enable-last": "true" } } : SILENT,
  pop3_lock_session: () => SILENT,
  pop3_uidl_format: (value) => ({
    note: `ids are taken over: postern import uidl --all --uidl-format '${value}'`,
  }),
  pop3_save_uidl: () => SILENT,
  pop3_reuse_xuidl: (value) =>
    isYes(value) ? { note: "X-UIDL headers are not looked at when mail is served" } : SILENT,
  login_greeting: (value) => ({ set: { greeting: text(value) } }),
  protocols: (value) => {
    const others = value.split(/\s+/).filter((each) => !/^(?:pop3s?|)$/.test(each));
    if (others.length === 0) return SILENT;
    return { note: `POP3 alone is served; ${others.join(", ")} must go on elsewhere` };
  },
  dovecot_config_version: () => SILENT,
  dovecot_storage_version: () => SILENT,
  maildir_stat_dirs: () => SILENT,
  mmap_disable: () => SILENT,
  log_timestamp: () => SILENT,
  log_path: (value) => value.startsWith("/") ? { set: { "log-file": text(value) } } : SILENT,
};

function translate(setting: DovecotSetting, all: readonly DovecotSetting[]): Translation {
  const { blocks, name, value } = setting;
  const [outer = ""] = blocks;
  if (blocks.length === 0) return PLAIN[name]?.(value) ?? {};
  if (/^protocol .*pop3/.test(outer)) return PLAIN[name]?.(value) ?? {};
  if (outer.startsWith("passdb")) return passdb(setting, all);
  if (outer.startsWith("userdb")) return userdb(setting);
  if (/^service (?:pop3-login|pop3)$/.test(outer)) return listener(setting);
  if (outer === "service lmtp" || outer.startsWith("protocol lmtp")) {
    return name === "mode" || name === "user" || name === "group"
      ? SILENT
      : { note: "mail comes in by --lmtp, or postern deliver" };
  }
  if (outer.startsWith("namespace")) {
    return ["inbox", "separator", "prefix", "type"].includes(name) || blocks.length > 1
      ? SILENT
      : PLAIN[name]?.(value) ?? {};
  }
  if (outer === "plugin" && /^quota_rule\d*$/.test(name)) {
    const [, size] = /storage=(\d+[kMG]?)/i.exec(value) ?? [];
    return size === undefined ? {} : { set: { quota: text(size.toUpperCase()) } };
  }
  if (outer.startsWith("quota") && name === "quota_storage_size") {
    return { set: { quota: text(value) } };
  }
  return {};
}

/** `maildir:/var/vmail/%d/%n`, `maildir:~/Maildir`. */
function location(value: string): Translation {
  const [, driver = "", path = value] = /^([a-z]+):(.*)$/.exec(value) ?? [];
  if (driver !== "maildir") {
    return {
      note: `${driver || value} is not served: convert it by doveadm sync to a Maildir before`,
    };
  }
  const [place = ""] = path.split(":");
  const [folder] = /^\/(?:[^%~/]+\/)*(?=[^/]*%)/.exec(place) ?? [];
  const set = { mailbox: text(`maildir:${path}`) };
  if (folder === undefined || folder === "/") {
    return /^~|^%\{?h|^%\{home/.test(place) ? { set: { ...set, homes: '["/home"]' } } : { set };
  }
  return { set: { maildir: text(folder.slice(0, -1)), ...set } };
}

function passdb(
  { blocks, name, value }: DovecotSetting,
  all: readonly DovecotSetting[],
): Translation {
  const driver = blocks[0]!.split(/\s+/)[1] ??
    all.find((each) => each.blocks[0] === blocks[0] && each.name === "driver")?.value;
  if (name === "passwd_file_path") return { set: { users: text(value) } };
  if (name === "driver" && !/^passwd-file$/.test(value)) return { note: BEHIND_HOOK };
  if (name === "args" && /(?:^|\s)(\/\S+)\s*$/.test(value) && driver === "passwd-file") {
    return { set: { users: text(/(?:^|\s)(\/\S+)\s*$/.exec(value)![1]!) } };
  }
  return driver === "passwd-file" || name === "driver" ? SILENT : {};
}

function userdb({ name, value }: DovecotSetting): Translation {
  if (name !== "args") return SILENT;
  const [, uid] = /\buid=(\S+)/.exec(value) ?? [];
  const [, gid] = /\bgid=(\S+)/.exec(value) ?? [];
  const isNumbers = /^\d+$/.test(uid ?? "") && /^\d+$/.test(gid ?? "");
  if (isNumbers) return { set: { ids: text(`${uid}:${gid}`) } };
  return uid === undefined
    ? SILENT
    : { note: `run the server as ${uid}, or name its numbers by --ids UID:GID` };
}

function listener({ blocks, name, value }: DovecotSetting): Translation {
  const [, inner = ""] = blocks;
  if (name !== "port" || value === "0") return SILENT;
  if (/pop3s$/.test(inner)) return { set: { "tls-port": value } };
  return /pop3$/.test(inner) ? { set: { port: value } } : {};
}
