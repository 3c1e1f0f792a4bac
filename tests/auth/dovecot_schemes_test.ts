// Password hashes that Dovecot made, one of each scheme and spelling, and the other fields of its passwd-file.

import { assertEquals } from "@std/assert";
import {
  passwdEntries,
  type PasswdEntry,
  passwdEntry,
} from "../../lib/auth/passwd/passwd_entry.ts";
import { PasswdFile } from "../../lib/auth/passwd/passwd_file.ts";
import { SourceDirectory } from "../../lib/auth/source_directory.ts";
import { password } from "../contracts/user_directory_contract.ts";

const secret = new Uint8Array(32).fill(6);
const PATH = new URL("./fixtures/dovecot_pw.passwd", import.meta.url).pathname;

Deno.test("every scheme and spelling of doveadm pw logs in, and no wrong password does", async () => {
  const refused: string[] = [];
  const users = await PasswdFile.read({
    path: PATH,
    secret,
    onRefused: (lines) => void refused.push(...lines),
  });
  assertEquals(refused, []);
  const directory = new SourceDirectory({ sources: [users], secret });
  for (const name of users.names()) {
    const right = await directory.verify(password(name, "pässwörd 1"));
    assertEquals(right?.user, name, name);
  }
  // One of each kind: a refusal costs as much as the costliest.
  for (
    const name of [
      "ssha",
      "plain-md5",
      "md5-crypt",
      "sha256-crypt",
      "pbkdf2",
      "cram-md5",
      "scram-sha-1",
    ]
  ) {
    const again = new SourceDirectory({ sources: [await only(name)], secret });
    assertEquals(await again.verify(password(name, "pässwörd 2")), undefined, name);
    assertEquals((await again.verify(password(name, "pässwörd 1")))?.user, name, name);
  }
});

/** A file of one user. */
async function only(name: string): Promise<PasswdFile> {
  const line = (await Deno.readTextFile(PATH)).split("\n").find((each) =>
    each.startsWith(`${name}:`)
  );
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeTextFile(path, line!);
    return await PasswdFile.read({ path, secret });
  } finally {
    await Deno.remove(path);
  }
}

Deno.test("a passwd-file's eight fields and extra fields say where the mail is", () => {
  const read = (rest: string): Pick<PasswdEntry, "record" | "disabled"> => {
    const { record, disabled } = passwdEntry(`ada:{PLAIN}x:${rest}`);
    return { ...record !== undefined && { record }, ...disabled !== undefined && { disabled } };
  };
  for (
    const [rest, expected] of [
      ["1000:1000::/home/ada:/bin/sh:", { record: { home: "/home/ada" } }],
      [":::::userdb_mail=maildir:~/Maildir:LAYOUT=fs", {
        record: { mailbox: "maildir:~/Maildir:LAYOUT=fs" },
      }],
      ["::::: userdb_home=/srv/ada  mail=maildir:/srv/ada/m ", {
        record: { home: "/srv/ada", mailbox: "maildir:/srv/ada/m" },
      }],
      [":::/a::userdb_quota_rule=*:storage=10M foo=bar", {
        record: { home: "/a", quota: 10 * 1024 * 1024 },
      }],
      [":::::userdb_quota_rule=*:storage=100", { record: { quota: 102_400 } }],
      [":::::userdb_mail_path=~/mail userdb_mail_driver=maildir", {
        record: { mailbox: "~/mail" },
      }],
      [":::::nologin", { disabled: true }],
      [":::::nologin=no", {}],
    ] as const
  ) assertEquals(read(rest), expected, rest);
  const refused: string[] = [];
  const lines = "ann:{PLAIN}x::::::allow_nets=10.0.0.0/8\nbob:{PLAIN}x::::::mail=mbox:~/mail\n";
  const names = Array.from(
    passwdEntries(lines, "f", (line) => refused.push(line)),
    ({ name }) => name,
  );
  assertEquals(names, ["bob"]);
  assertEquals(refused.map((line) => line.slice(0, 20)), [
    "f, line 1: allow_net",
    "f, line 2: invalid m",
  ]);
});

Deno.test("a hundred thousand lines of a passwd-file are read in about a second", async () => {
  const path = await Deno.makeTempFile();
  try {
    const hash = (await Deno.readTextFile(PATH)).split("\n").find((line) =>
      line.startsWith("sha512-crypt:")
    )!.split(":")[1];
    const lines = Array.from(
      { length: 100_000 },
      (_, at) =>
        `user${at}@example.org:${hash}:5000:5000::/home/user${at}::userdb_mail=maildir:~/Maildir`,
    );
    await Deno.writeTextFile(path, lines.join("\n"));
    const begun = performance.now();
    const users = await PasswdFile.read({ path, secret });
    const took = performance.now() - begun;
    assertEquals(users.count, 100_000);
    // The figure asked for is 1 s on a quiet machine; a busy one must not fail.
    if (took > 10_000) throw new Error(`It took ${took} ms`);
  } finally {
    await Deno.remove(path);
  }
});
