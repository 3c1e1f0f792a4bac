/** Runs a whole session with nothing but the mail folder's permissions. */

import { systemClock } from "../../lib/async/clock.ts";
import { countOn } from "../../lib/async/running_time.ts";
import { FolderMailStore } from "../../lib/mail/folder/folder_mail_store.ts";
import { openMessageFile } from "../../lib/mail/folder/message_file.ts";
import { NO_HELD_FOLDERS } from "../support/held_folders.ts";

const scope = self as unknown as {
  onmessage: (event: MessageEvent<{ root: string; account: number }>) => void;
  postMessage(message: unknown): void;
};

scope.onmessage = async ({ data: { root, account } }): Promise<void> => {
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const running = countOn({ id: "0123456789abcdef", at: 1 }, systemClock);
  const options = {
    root,
    account,
    held: NO_HELD_FOLDERS,
    maxMessages: 0,
    expireDays: 1,
    flagUpdates: true,
    running,
    warn,
  };
  try {
    const maildrop = await new FolderMailStore(options).acquire("alice");
    const into = new Uint8Array(100);
    const octets: number[] = [];
    for (const message of maildrop.messages) {
      using stored = await maildrop.open(message);
      octets.push(stored.readSync(into) ?? 0);
      openMessageFile(stored.file!)[Symbol.dispose]();
    }
    maildrop.retrieved(maildrop.messages[0]!);
    const { stayed } = await maildrop.remove([maildrop.messages[1]!]);
    await maildrop[Symbol.asyncDispose]();
    scope.postMessage({ octets, stayed: stayed.length, warnings });
  } catch (error) {
    scope.postMessage(String(error));
  }
};
