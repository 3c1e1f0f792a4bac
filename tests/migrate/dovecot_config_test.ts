// `postern import dovecot`: doveconf's output becomes a config file that the server takes.
import { assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { postern } from "../support/piped_program.ts";

const DOVECOT_23 = `# 2.3.19.1 (9b53102964): /etc/dovecot/dovecot.conf
auth_mechanisms = plain login
auth_username_format = %Lu
mail_location = maildir:MAIL/%d/%n/Maildir
mail_privileged_group = mail
passdb {
  args = scheme=CRYPT username_format=%u USERS
  driver = passwd-file
}
pop3_uidl_format = %08Xv%08Xu
protocols = " imap lmtp pop3"
recipient_delimiter = +
service pop3-login {
  inet_listener pop3 {
    port = 1100
  }
}
ssl = no
userdb {
  args = uid=5000 gid=5000 home=/var/vmail/%d/%n
  driver = static
}
`;
const DOVECOT_24 = `dovecot_config_version = 2.4.1
mail_driver = maildir
mail_path = MAIL/%{user | domain}/%{user | username}
auth_allow_cleartext = yes
passdb passwd-file {
  passwd_file_path = USERS
}
ssl_server_cert_file = /etc/cert.pem
`;

Deno.test("doveconf of 2.3 and of 2.4 becomes a config file that the server takes", async () => {
  await using folder = await temporaryFolder();
  const mail = join(folder.path, "mail");
  const users = join(folder.path, "users");
  await Deno.mkdir(mail);
  await Deno.writeTextFile(users, "ada@x.org:{PLAIN}pw\n");
  const translated = async (text: string): Promise<string> => {
    const path = join(folder.path, "doveconf");
    await Deno.writeTextFile(path, text.replaceAll("MAIL", mail).replaceAll("USERS", users));
    const { code, stdout, stderr } = await postern(["import", "dovecot", "--config", path]);
    assertEquals([code, stderr], [0, ""]);
    const config = join(folder.path, "postern.toml");
    await Deno.writeTextFile(config, stdout.replace(/^tls-cert.*\n/m, ""));
    const taken = await postern(["serve", "--config", config, "--print-config"]);
    assertEquals(taken.code, 0, taken.stderr + stdout);
    return stdout;
  };
  const old = await translated(DOVECOT_23);
  for (
    const line of [
      `maildir = "${mail}"`,
      `mailbox = "maildir:${mail}/%d/%n/Maildir"`,
      `users = "${users}"`,
      'names = "lower"',
      'recipient-delimiter = "+"',
      "port = 1100",
      'ids = "5000:5000"',
      "# pop3_uidl_format = %08Xv%08Xu: ids are taken over: postern import uidl --all --uidl-format '%08Xv%08Xu'",
      "# protocols =  imap lmtp pop3: POP3 alone is served; imap, lmtp must go on elsewhere",
      "# mail_privileged_group = mail: no equal",
    ]
  ) {
    assertStringIncludes(old, `${line}\n`);
  }
  const fresh = await translated(DOVECOT_24);
  for (
    const line of [
      `maildir = "${mail}"`,
      `mailbox = "maildir:${mail}/%{user | domain}/%{user | username}"`,
      `users = "${users}"`,
      'tls-cert = ["/etc/cert.pem"]',
    ]
  ) {
    assertStringIncludes(fresh, `${line}\n`);
  }
});

Deno.test("other stores and users are told, and what is no configuration is refused", async () => {
  const run = (input: string): ReturnType<typeof postern> =>
    postern(["import", "dovecot", "--config", "-"], { input });
  const { stdout } = await run("mail_location = mdbox:~/mdbox\npassdb {\n  driver = pam\n}\n");
  assertStringIncludes(stdout, "doveadm sync");
  assertStringIncludes(stdout, "--auth-hook");
  for (const input of ["", "nonsense\n", "}\n", "passdb {\n"]) {
    assertEquals((await run(input)).code, 2);
  }
});
