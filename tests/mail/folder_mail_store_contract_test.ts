// Both layouts of the folder store keep the mail store's contract, in folders of our own and of others.

import { testMailStore } from "../contracts/mail_store_contract.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { FIRST, TempMail } from "./temp_mail.ts";

const LAYOUTS = [
  ["Maildir", "new/", 0o700],
  ["plain folder", "", 0o700],
  ["Maildir that others can write", "new/", 0o777],
] as const;

for (const [name, folder, mode] of LAYOUTS) {
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
      },
      withdraw: (user, index) => Deno.removeSync(mail.path(user, fileName(index))),
      advance: (milliseconds) => running.advance(milliseconds),
      [Symbol.dispose]: () => mail[Symbol.dispose](),
    };
  });
}
