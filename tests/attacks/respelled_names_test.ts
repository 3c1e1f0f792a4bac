/** Who owns a mailbox exchanges its folder with a link to another's while names that are not UTF-8 are renamed there: nobody else's names change. */

import { assert, assertEquals } from "@std/assert";
import { TempMail } from "../mail/temp_mail.ts";
import { heavy } from "./stage.ts";

/** User ids that nobody has. */
const ADA = 64_001;
const BOB = 64_002;
/** Logins that found the folder, or did not. */
const LOGINS = heavy ? 1000 : 60;

const ATTACK = String.raw`
  $| = 1; print "begun\n";
  my ($new, $evil) = ("new", "evil");
  for (my $n = 0;; $n++) {
    open my $file, ">", "new/a$n.\xff"; close $file;
    syscall(316, -100, $new, -100, $evil, 2);
    select undef, undef, undef, 0.002;
  }`;

async function shell(cwd: string, command: string): Promise<string> {
  const { success, stdout } = await new Deno.Command("sh", { args: ["-c", command], cwd }).output();
  assert(success, command);
  return new TextDecoder().decode(stdout);
}

Deno.test({
  name: "who exchanges folders while names are respelled reaches nobody else's files",
  // Processes of other users, and renameat2 by its number.
  ignore: Deno.uid() !== 0 || Deno.build.arch !== "x86_64",
  fn: async () => {
    using mail = new TempMail();
    Deno.chmodSync(mail.root, 0o755);
    mail.maildir("ada");
    mail.maildir("bob");
    const fill = String.raw`for (1..20) { open my $f, ">", "b$_.\xff" or die; print $f "of bob" }`;
    await shell(mail.path("bob", "new"), `perl -e '${fill}' && chown -R ${BOB} ..`);
    await shell(mail.path("ada"), `ln -s ../bob/new evil && chown -Rh ${ADA} .`);
    const before = await shell(mail.path("bob"), "ls -bi new");
    const attacker = new Deno.Command("perl", {
      args: ["-e", ATTACK],
      cwd: mail.path("ada"),
      uid: ADA,
      stdout: "piped",
    }).spawn();
    try {
      const reader = attacker.stdout.getReader();
      await reader.read();
      reader.releaseLock();
      const store = mail.store();
      let served = 0;
      for (let login = 0; login < LOGINS; login++) {
        try {
          await using maildrop = await store.acquire("ada");
          served++;
          for (const message of maildrop.messages.slice(0, 5)) {
            const into = new Uint8Array(10);
            const read = await maildrop.open(message).then((stored) => {
              using opened = stored;
              return opened.readSync(into);
            }, () => null);
            assertEquals(read, null, "somebody else's message was sent");
          }
        } catch (error) {
          if (error instanceof Error && /Assertion/.test(error.name)) throw error;
        }
      }
      assert(served > 0, "no login ever met the folder");
    } finally {
      attacker.kill("SIGKILL");
      await attacker.status;
      await attacker.stdout.cancel();
    }
    assertEquals(await shell(mail.path("bob"), "ls -bi new"), before);
    // Names that cannot be told cannot be removed by the runtime.
    await shell(mail.root, "rm -rf ada bob");
  },
});
