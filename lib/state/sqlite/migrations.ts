/** The tables of the state file, as steps from each version to the next. A step that was released never changes. */

import { type SealedTable, sealing } from "../sealed_tables.ts";

/** Tells Postern's files from other programs' (`PRAGMA application_id`): "POST". */
export const APPLICATION_ID = 0x504f5354;

/** What version 2 seals. A step that adds a column to one of these tables drops its triggers, and seals it anew with that column. */
const SEALED_2: readonly SealedTable[] = [
  {
    table: "accounts",
    row: "kind",
    columns: [
      "kind",
      "name",
      "origin",
      "at",
      "revision",
      "hex salt",
      "iterations",
      "hex stored_key",
      "hex server_key",
      "scheme",
      "hash",
      "app_passwords",
    ],
    rows: ["user", "administrator"],
  },
  {
    table: "app_passwords",
    columns: ["kind", "name", "label", "at", "hex stored_key", "hex server_key"],
  },
  { table: "flags", columns: ["kind", "name", "hex salt", "iterations", "hex stored_key"] },
  {
    table: "learned_keys",
    columns: ["name", "fingerprint", "hex salt", "iterations", "hex stored_key", "hex server_key"],
  },
  { table: "settings", columns: ["key", "value"] },
  { table: "installation", columns: ["name", "quote value"] },
];

/** Version 5 adds what is known of users besides their secrets. */
const USER_FIELDS: SealedTable = { table: "user_fields", columns: ["name", "field", "value"] };

/** Version 6 adds what app passwords are good for. */
const TERMS: SealedTable = {
  table: "app_password_terms",
  columns: ["kind", "name", "label", "expires", "networks", "read_only"],
};

/** What is sealed in files of a version. */
export function sealedIn(version: number): readonly SealedTable[] {
  if (version < 2) return [];
  if (version < 5) return SEALED_2;
  return version < 6 ? [...SEALED_2, USER_FIELDS] : [...SEALED_2, USER_FIELDS, TERMS];
}

/** Step n brings a file of version n to version n + 1 (`PRAGMA user_version`). */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE installation (name TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO installation VALUES ('secret', randomblob(32)), ('revision', 0), ('sessions', 0);

  CREATE TABLE accounts (
    kind TEXT NOT NULL, name TEXT NOT NULL, origin TEXT NOT NULL, at INTEGER NOT NULL,
    revision INTEGER NOT NULL, salt BLOB NOT NULL, iterations INTEGER NOT NULL,
    stored_key BLOB, server_key BLOB, scheme TEXT, hash TEXT,
    app_passwords INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, name),
    CHECK ((stored_key IS NULL) = (server_key IS NULL)),
    CHECK ((stored_key IS NULL) = (hash IS NOT NULL)),
    CHECK ((scheme IS NULL) = (hash IS NULL))
  ) STRICT, WITHOUT ROWID;
  -- Answers whether everyone has keys without reading everyone.
  CREATE INDEX accounts_without_keys ON accounts (kind) WHERE stored_key IS NULL;

  -- How many accounts there are, kept beside them, so that max_users costs no count of all.
  CREATE TABLE amounts (kind TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  INSERT INTO amounts VALUES ('user', 0), ('administrator', 0);
  CREATE TRIGGER account_added AFTER INSERT ON accounts BEGIN
    UPDATE amounts SET amount = amount + 1 WHERE kind = new.kind;
  END;
  CREATE TRIGGER account_deleted AFTER DELETE ON accounts BEGIN
    UPDATE amounts SET amount = amount - 1 WHERE kind = old.kind;
  END;

  CREATE TABLE app_passwords (
    kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, at INTEGER NOT NULL,
    stored_key BLOB NOT NULL, server_key BLOB NOT NULL,
    PRIMARY KEY (kind, name, label),
    FOREIGN KEY (kind, name) REFERENCES accounts ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE flags (
    kind TEXT NOT NULL, name TEXT NOT NULL,
    salt BLOB NOT NULL, iterations INTEGER NOT NULL, stored_key BLOB NOT NULL,
    PRIMARY KEY (kind, name)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE learned_keys (
    name TEXT PRIMARY KEY, fingerprint TEXT NOT NULL, salt BLOB NOT NULL,
    iterations INTEGER NOT NULL, stored_key BLOB NOT NULL, server_key BLOB NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

  CREATE TABLE accesses (
    id INTEGER PRIMARY KEY, session TEXT NOT NULL, at INTEGER NOT NULL, user TEXT NOT NULL,
    address TEXT NOT NULL, tls TEXT, mechanism TEXT NOT NULL,
    ended INTEGER, messages INTEGER, octets INTEGER, deleted INTEGER, ending TEXT
  ) STRICT;
  CREATE INDEX accesses_of_user ON accesses (user, id);
  CREATE INDEX accesses_by_time ON accesses (at);
  CREATE INDEX accesses_open ON accesses (session) WHERE ended IS NULL;

  CREATE TABLE access_amounts (user TEXT PRIMARY KEY, amount INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TRIGGER access_added AFTER INSERT ON accesses BEGIN
    INSERT INTO access_amounts VALUES (new.user, 1)
      ON CONFLICT (user) DO UPDATE SET amount = amount + 1;
  END;
  CREATE TRIGGER access_deleted AFTER DELETE ON accesses BEGIN
    UPDATE access_amounts SET amount = amount - 1 WHERE user = old.user;
    DELETE FROM access_amounts WHERE user = old.user AND amount = 0;
  END;

  CREATE TABLE counters (
    id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, total REAL
  ) STRICT;
  CREATE TABLE history (
    counter INTEGER NOT NULL, minute INTEGER NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (counter, minute)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  -- Counts and checksums of what must not be lost, whether the file was closed well, and how many transactions there were: all on
  -- one page, which every transaction writes, so that a write-ahead log of another time shows beside this file.
  CREATE TABLE header (
    name TEXT PRIMARY KEY, amount INTEGER NOT NULL, checksum INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
  INSERT INTO header (name, amount) VALUES ('closed', 1), ('transactions', 0);
  DROP TRIGGER account_added;
  DROP TRIGGER account_deleted;
  DROP TABLE amounts;
  ${SEALED_2.map(sealing).join("\n")}
  `,
  `
  -- The last record that there was at the beginning of each day that the server ran: age is counted so, since the wall clock can be wrong.
  CREATE TABLE access_days (day INTEGER PRIMARY KEY, last INTEGER NOT NULL) STRICT;
  DROP INDEX accesses_by_time;
  `,
  `
  -- What login attempts led to.
  CREATE TABLE bans (
    kind TEXT NOT NULL, target TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER NOT NULL,
    failures INTEGER NOT NULL, PRIMARY KEY (kind, target)
  ) STRICT;
  CREATE INDEX bans_by_end ON bans (until);
  CREATE TABLE login_times (name TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
  CREATE INDEX login_times_by_time ON login_times (at);
  `,
  `
  -- Where mailboxes lie, who is disabled and the like: of few users, also of those whom only a passwd-file or a hook knows.
  CREATE TABLE user_fields (
    name TEXT NOT NULL, field TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (name, field)
  ) STRICT, WITHOUT ROWID;
  ${sealing(USER_FIELDS)}
  `,
  `
  -- What app passwords are good for, where it is not everything, and when and from where they were used last.
  CREATE TABLE app_password_terms (
    kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL,
    expires INTEGER, networks TEXT, read_only INTEGER NOT NULL,
    PRIMARY KEY (kind, name, label),
    FOREIGN KEY (kind, name, label) REFERENCES app_passwords ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE app_password_uses (
    kind TEXT NOT NULL, name TEXT NOT NULL, label TEXT NOT NULL, at INTEGER NOT NULL, address TEXT NOT NULL,
    PRIMARY KEY (kind, name, label),
    FOREIGN KEY (kind, name, label) REFERENCES app_passwords ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  ${sealing(TERMS)}
  `,
  `
  -- Minutes, rolled up by hours for two years.
  CREATE TABLE history_hours (
    counter INTEGER NOT NULL, hour INTEGER NOT NULL, value REAL NOT NULL, PRIMARY KEY (counter, hour)
  ) STRICT, WITHOUT ROWID;
  `,
];
