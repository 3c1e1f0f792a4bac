// A state file of version 1, as Postern 0.1.0 made it: its tables, and something in each.

import { DatabaseSync } from "node:sqlite";

/** The tables of version 1, copied when they were changed. They never change again. */
const TABLES = `
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
  CREATE INDEX accounts_without_keys ON accounts (kind) WHERE stored_key IS NULL;

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
`;

/** Minute of the row in the history of {@linkcode makeVersion1}. */
export const MINUTE_OF_VERSION_1 = 29_400_000;

/**
 * Makes a state file of version 1: `count` users named `u0`, `u1`…, the first with an app password, one with a foreign hash, an administrator, a
 * flag, learned keys, a setting, an access, a total and a minute.
 *
 * @param meanwhile is run while the file is open, with all of it in the write-ahead log
 */
export function makeVersion1(path: string, count: number, meanwhile?: () => void): void {
  Deno.openSync(path, { write: true, createNew: true, mode: 0o644 }).close();
  const database = new DatabaseSync(path);
  database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL");
  const salt = "zeroblob(16), 4096";
  database.exec(`BEGIN; ${TABLES}
    PRAGMA application_id = ${0x504f5354};
    PRAGMA user_version = 1;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${count})
      INSERT INTO accounts SELECT 'user', 'u' || i, 'msmp', 5, i + 1, ${salt}, randomblob(32), randomblob(32),
        NULL, NULL, i = 0 FROM n;
    INSERT INTO accounts VALUES
      ('user', 'foreign', 'import', 6, 9001, ${salt}, NULL, NULL, 'BLF-CRYPT', '$2y$', 0),
      ('administrator', 'root', 'flag', 7, 9002, ${salt}, randomblob(32), randomblob(32), NULL, NULL, 0);
    UPDATE installation SET value = 9002 WHERE name = 'revision';
    UPDATE installation SET value = 77 WHERE name = 'sessions';
    INSERT INTO app_passwords VALUES ('user', 'u0', 'phone', 8, randomblob(32), randomblob(32));
    INSERT INTO flags VALUES ('administrator', 'root', ${salt}, randomblob(32));
    INSERT INTO learned_keys VALUES ('carol', 'ff', ${salt}, randomblob(32), randomblob(32));
    INSERT INTO settings VALUES ('timeout', '700');
    INSERT INTO accesses (session, at, user, address, mechanism) VALUES ('s1', 9, 'u0', '::1', 'PLAIN');
    INSERT INTO counters (name, total) VALUES ('pop3.logins', 3);
    INSERT INTO history VALUES (1, ${MINUTE_OF_VERSION_1}, 2);
    COMMIT`);
  meanwhile?.();
  database.close();
}
