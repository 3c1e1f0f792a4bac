// Both layouts of the folder store keep the mail store's contract, in folders of our own and of others.

import { testMailStore } from "../contracts/mail_store_contract.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { FIRST, TempMail } from "./temp_mail.ts";

/** A user who is not the server, where the tests may make files of others. */
const OTHER = Deno.uid() === 0 ? 65_534 : undefined;

const LAYOUTS = [
  ["Maildir", "new/", 0o700, undefined],
  ["plain folder", "", 0o700, undefined],
  ["Maildir that others can write", "new/", 0o777, undefined],
  ["Maildir of another owner", "new/", 0o700, OTHER],
  ["plain folder that others can write", "", 0o777, undefined],
] as const;

for (const [name, folder, mode, owner] of LAYOUTS) {
  testMailStore(`FolderMailStore (${name})`, (options) => {
    const running = new TestRunningTime();
    const mail = new TempMail();
    const fileName = (index: number): string => `${folder}${FIRST + index}.M${index}P1.host`;
    return {
      store: mail.store({ ...options, running }),
      deliver(user, index, octets): void {
        if (folder === "") mail.put(user, { [fileName(index)]: octets });
        else mail.maildir(user, { [fileName(index)]: octets });
        Deno.chmodSync(mail.path(user), mode);
        if (owner !== undefined) mail.give(user, owner);
      },
      withdraw: (user, index) => Deno.removeSync(mail.path(user, fileName(index))),
      advance: (milliseconds) => running.advance(milliseconds),
      [Symbol.dispose]: () => mail[Symbol.dispose](),
    };
  });
}
