/** A mail folder in a temporary folder, and a store on it whose warnings are kept. */

import { eventually } from "../support/waiting.ts";
import {
  FolderMailStore,
  type FolderMailStoreOptions,
} from "../../lib/mail/folder/folder_mail_store.ts";
import { TestRunningTime } from "../support/test_clock.ts";
import { heldFoldersOf } from "../support/held_folders.ts";

/** The first message's delivery time, in seconds. */
export const FIRST = 1_700_000_000;

/** A temporary mail folder. Disposing removes it. */
export class TempMail implements Disposable {
  readonly root: string = Deno.makeTempDirSync({ prefix: "postern-mail-" });
  readonly running = new TestRunningTime();
  readonly warnings: { message: string; properties: Record<string, unknown> | undefined }[] = [];

  constructor() {
    // As a server does at its first start.
    Deno.mkdirSync(this.path(".postern-mailboxes"), { mode: 0o700 });
  }

  /** A store on it; each is like a newly started server. */
  store(options: Partial<FolderMailStoreOptions> = {}): FolderMailStore {
    return new FolderMailStore({
      root: this.root,
      account: Deno.uid()!,
      held: heldFoldersOf(this.root),
      maxMessages: 0,
      expireDays: 0,
      running: this.running,
      flagUpdates: true,
      warn: (message, properties) => this.warnings.push({ message, properties }),
      ...options,
    });
  }

  /** Where something lies. */
  path(...parts: string[]): string {
    return [this.root, ...parts].join("/");
  }

  /** Makes a Maildir with files; keys are like `new/1.host`. */
  maildir(user: string, files: Readonly<Record<string, string | Uint8Array>> = {}): void {
    for (const folder of ["cur", "new", "tmp"]) {
      Deno.mkdirSync(this.path(user, folder), { recursive: true, mode: 0o700 });
    }
    this.put(user, files);
  }

  /** Makes files below a user's folder, and the folder where there is none. */
  put(user: string, files: Readonly<Record<string, string | Uint8Array>>): void {
    Deno.mkdirSync(this.path(user), { recursive: true, mode: 0o700 });
    for (const [name, content] of Object.entries(files)) {
      const octets = typeof content === "string" ? new TextEncoder().encode(content) : content;
      Deno.writeFileSync(this.path(user, name), octets);
    }
  }

  /** Gives a mailbox with all that it holds to another user. */
  give(user: string, owner: number): void {
    const give = (path: string): void => {
      Deno.chownSync(path, owner, owner);
      if (!Deno.lstatSync(path).isDirectory) return;
      for (const { name } of Deno.readDirSync(path)) give(`${path}/${name}`);
    };
    give(this.path(user));
  }

  /** Names in a folder, sorted. */
  names(...parts: string[]): string[] {
    return [...Deno.readDirSync(this.path(...parts))].map((entry) => entry.name).sort();
  }

  /** Sets folders' times back, as programs do that copy mailboxes. */
  settle(user: string): void {
    const past = new Date(Date.now() - 60_000);
    for (const folder of ["new", "cur"]) Deno.utimeSync(this.path(user, folder), past, past);
  }

  /** Waits until folders have not changed for so long that their listing will be relied on: nobody can set that time back. */
  async aged(user: string): Promise<void> {
    const folders = ["new", "cur"].map((folder) => Deno.statSync(this.path(user, folder)));
    const changed = Math.max(...folders.map(({ ctime }) => ctime!.getTime()));
    const clock = this.path(".clock");
    await eventually("the folders' last change being two seconds ago", () => {
      Deno.writeTextFileSync(clock, "");
      return Deno.statSync(clock).mtime!.getTime() > changed + 2000;
    });
    Deno.removeSync(clock);
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.root, { recursive: true });
  }
}
