// Where mailboxes lie: virtual domains, and no name that leads elsewhere.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MaildropUnreadableError } from "../../lib/contracts/mail_store.ts";
import { mailboxPath } from "../../lib/mail/naming/mailbox_path.ts";
import { TempMail } from "./temp_mail.ts";

Deno.test("mailboxPath puts users without a domain folder below the mail folder", () => {
  using mail = new TempMail();
  const { root } = mail;
  assertEquals(mailboxPath("alice", { root }), `${root}/alice`);
  assertEquals(mailboxPath("alice@example.org", { root }), `${root}/alice@example.org`);
  assertEquals(mailboxPath("alice", { root: `${root}//` }), `${root}/alice`);
});

Deno.test("mailboxPath follows domain folders and the default domain", () => {
  using mail = new TempMail();
  const { root } = mail;
  Deno.mkdirSync(mail.path("example.org"));
  assertEquals(mailboxPath("alice@example.org", { root }), `${root}/example.org/alice`);
  assertEquals(mailboxPath("alice", { root }), `${root}/alice`);
  const withDefault = { root, defaultDomain: "example.org" };
  assertEquals(mailboxPath("alice", withDefault), `${root}/example.org/alice`);
  assertEquals(mailboxPath("alice@example.org", withDefault), `${root}/example.org/alice`);
  assertEquals(mailboxPath("alice@other.org", withDefault), `${root}/alice@other.org`);
  assertEquals(
    mailboxPath("alice", { root, defaultDomain: "other.org" }),
    `${root}/alice@other.org`,
  );
});

Deno.test("mailboxPath never takes a mailbox, a file or a link for a domain", () => {
  using mail = new TempMail();
  const { root } = mail;
  mail.maildir("bob");
  Deno.mkdirSync(mail.path("dave/new"), { recursive: true });
  Deno.writeTextFileSync(mail.path("file"), "");
  Deno.mkdirSync(mail.path("real"));
  Deno.symlinkSync(mail.path("real"), mail.path("link"));
  for (const domain of ["bob", "dave", "file"]) {
    assertEquals(mailboxPath(`x@${domain}`, { root }), `${root}/x@${domain}`);
  }
  assertThrows(() => mailboxPath("x@link", { root }), MaildropUnreadableError, "symbolic link");
  assertEquals(mailboxPath("new@bob", { root }), undefined);
  assertEquals(mailboxPath("cur@bob", { root }), undefined);
});

Deno.test("mailboxPath leads nowhere but one or two steps below the mail folder", () => {
  using mail = new TempMail();
  const { root } = mail;
  Deno.mkdirSync(mail.path("d.org"));
  const name = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.stringMatching(/^[a.\/\\@%\0-]{0,8}(@d\.org)?$/),
  );
  fc.assert(fc.property(name, (user) => {
    const path = mailboxPath(user, { root });
    if (path === undefined) return;
    assert(path.startsWith(`${root}/`), path);
    const steps = path.slice(root.length + 1).split("/");
    assert(steps.length === 1 || (steps.length === 2 && steps[0] === "d.org"), path);
    for (const step of steps) assert(step !== "" && !step.startsWith("."), path);
  }));
});
