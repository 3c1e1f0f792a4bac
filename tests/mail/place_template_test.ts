// Places of mailboxes: Dovecot's variables, and no name or template that leads elsewhere.

import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { MaildropUnreadableError } from "../../lib/contracts/mail_store.ts";
import { mailboxPlace } from "../../lib/mail/naming/mailbox_path.ts";
import { expandPlace, PlaceError, readPlace } from "../../lib/mail/naming/place_template.ts";
import { TempMail } from "./temp_mail.ts";

const ADA = {
  user: "ada.lovelace@example.org",
  local: "ada.lovelace",
  domain: "example.org",
  home: undefined,
};

function expanded(text: string, owner: Parameters<typeof expandPlace>[2] = ADA): string {
  return expandPlace(readPlace(text).path, text, owner);
}

Deno.test("a place's variables stand for what Dovecot 2.3.19 makes of them", () => {
  // As `doveadm mailbox path` told it.
  for (
    const [variable, value] of [
      ["%u", "ada.lovelace@example.org"],
      ["%Lu", "ada.lovelace@example.org"],
      ["%2.3n", "a.l"],
      ["%Hu", "fad077"],
      ["%256Hu", "77"],
      ["%2.256Hu", "77"],
      ["%Nu", "67cd4aff"],
      ["%2.100Nu", "4b"],
      ["%-2.1n", "c"],
      ["%1.1Ln", "d"],
      ["%Rn", "ecalevol.ada"],
      ["%-3n", "ada"],
      ["%{user}", "ada.lovelace@example.org"],
      ["%{domain}", "example.org"],
      ["%L{username}", "ada.lovelace"],
      ["%Ud", "EXAMPLE.ORG"],
      ["%4Mu", "a089"],
      ["%2n", "ad"],
    ] as const
  ) assertEquals(expanded(`x/${variable}/y`), `x/${value}/y`, variable);
});

Deno.test("a place takes the variables of Dovecot 2.4, percent signs, homes and locations", () => {
  const grace = { user: "Grace@Example.org", local: "Grace", domain: "Example.org", home: "/h/g" };
  for (
    const [text, path] of [
      ["%{user | domain | lower}/%{user | username}", "example.org/Grace"],
      ["%{user|username|lower|substr(0,1)}/%{user | username | lower}", "g/grace"],
      ["%{user | username | substr(-2)}", "ce"],
      ["100%%/%n", "100%/Grace"],
      ["~/Maildir", "/h/g/Maildir"],
      ["%h/mail", "/h/g/mail"],
      ["%{home}/mail", "/h/g/mail"],
      ["maildir:~/Maildir", "/h/g/Maildir"],
      ["maildir:/srv/%d/%n:LAYOUT=fs:INDEX=/var/x", "/srv/Example.org/Grace"],
    ] as const
  ) assertEquals(expanded(text, grace), path, text);
  assertEquals(expanded("~/Maildir"), "/home/ada.lovelace/Maildir");
  assertEquals(
    expanded("~/Maildir", { ...ADA, home: "/srv/%d/./%n/" }),
    "/srv/example.org/ada.lovelace/Maildir",
  );
});

Deno.test("a place in another format is refused by the sentence that names doveadm sync", () => {
  for (const format of ["mbox:~/mail:INBOX=/var/mail/%u", "mdbox:~/mdbox", "sdbox:~/sdbox"]) {
    assertThrows(() => readPlace(format), SyntaxError, "doveadm sync");
  }
});

Deno.test("a place that cannot take a name says so", () => {
  const none = { ...ADA, user: "ada", local: "ada", domain: "" };
  assertThrows(() => expanded("%d/%n", none), PlaceError, "%d is empty");
  assertThrows(
    () => expanded("%-1.1d/x", { ...ADA, domain: "a." }),
    PlaceError,
    "begins with a dot",
  );
  assertThrows(() => expanded("x/%n", { ...ADA, local: "cur" }), PlaceError, "folder of a mailbox");
  assertThrows(() => expanded("~/x", { ...ADA, home: "rel" }), PlaceError, "no absolute path");
  assertThrows(() => expanded("~/x", { ...ADA, home: "/h/../etc" }), PlaceError, "holds ..");
});

Deno.test("mailboxPlace stays below the mail folder and the homes, and follows no link", () => {
  using mail = new TempMail();
  const { root } = mail;
  using other = new TempMail();
  const homes = [{ given: "/homes", real: other.root }];
  const at = (record: { home?: string; mailbox?: string }, template?: string): string | undefined =>
    mailboxPlace("ada", record, {
      root,
      homes,
      template: template === undefined ? undefined : readPlace(template),
    })?.path;
  assertEquals(at({ home: "/homes/ada" }, "~/Maildir"), `${other.root}/ada/Maildir`);
  assertEquals(at({ mailbox: `${root}/x/y` }), `${root}/x/y`);
  assertEquals(at({ mailbox: "x/y" }, "%n/Maildir"), `${root}/x/y`);
  for (
    const mailbox of ["/etc", "/homes", "/homesick/ada", `${root}`, "/homes/../etc/x", "mbox:/x"]
  ) {
    assertThrows(() => at({ mailbox }), MaildropUnreadableError);
  }
  Deno.symlinkSync("/etc", mail.path("link"));
  assertThrows(() => at({ mailbox: "link/ssl" }), MaildropUnreadableError, "no link");
  Deno.mkdirSync(mail.path("ada/inbox"), { recursive: true });
  assertEquals(at({}, "maildir:%n/all:INBOX=%n/inbox"), `${root}/ada/inbox`);
  assertEquals(at({}, "maildir:%n/all:INBOX=%n/none"), `${root}/ada/all`);
});

Deno.test("no name and no home leads out of the folders of mailboxes", () => {
  using mail = new TempMail();
  const { root } = mail;
  const word = fc.oneof(fc.string({ unit: "binary" }), fc.stringMatching(/^[a.\/\\@%~\0-]{0,8}$/));
  const templates = ["%d/%n", "~/Maildir", "%1n/%u", "%{user | substr(1,2)}/x", "x%n/%h"].flatMap(
    (text) => {
      try {
        return [readPlace(text)];
      } catch {
        return []; // Not every one can be read, which is a refusal as well.
      }
    },
  );
  fc.assert(
    fc.property(
      word,
      word,
      word,
      fc.constantFrom(...templates),
      (user, home, mailbox, template) => {
        for (const record of [{ home }, { home: `${root}/${home}` }, { mailbox }, {}]) {
          let place;
          try {
            place = mailboxPlace(user, record, { root, template });
          } catch (error) {
            assert(error instanceof MaildropUnreadableError, String(error));
            continue;
          }
          if (place === undefined) continue;
          assert(place.path.startsWith(`${root}/`), place.path);
          const steps = place.path.slice(root.length + 1).split("/");
          for (const step of steps) {
            assert(
              step !== "" && step !== "." && step !== "..",
              place.path,
            );
          }
        }
      },
    ),
  );
});
