// The folder store needs no permission but to read and write the mail folder.

import { assertEquals } from "@std/assert";
import { TempMail } from "./temp_mail.ts";

Deno.test("FolderMailStore works where only the mail folder may be read and written", async () => {
  using mail = new TempMail();
  mail.maildir("alice", { "new/1.a": "one\r\n", "new/2.b": "two\r\n" });
  const permissions: Deno.PermissionOptionsObject = {
    read: [mail.root],
    write: [mail.root],
    net: false,
    env: false,
    run: false,
    sys: false,
    ffi: false,
  };
  const worker = new Worker(import.meta.resolve("./restricted_worker.ts"), {
    type: "module",
    deno: { permissions },
  });
  try {
    const answer = await new Promise((resolve) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => resolve(event.message);
      worker.postMessage({ root: mail.root, account: Deno.uid() });
    });
    assertEquals(answer, { octets: [5, 5], stayed: 0, warnings: [] });
    assertEquals(mail.names("alice", "cur"), ["1.a:2,S"]);
  } finally {
    worker.terminate();
  }
});
