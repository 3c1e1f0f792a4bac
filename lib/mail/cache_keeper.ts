/** Writes one open mailbox's cache: off the login's way, and without losing what another session of the same user wrote. */

import { setImmediate } from "node:timers";
import {
  type CacheVersion,
  cacheVersion,
  isSameVersion,
  type ListingTime,
  readCache,
  writeCache,
} from "./cache_file.ts";
import type { Catalogue } from "./catalogue.ts";
import { isFileError } from "./file_error.ts";
import { uniquePart } from "./maildir_name.ts";
import type { Mailbox } from "./mailbox.ts";

/** Settings of a {@linkcode CacheKeeper}. */
export interface CacheKeeperOptions {
  readonly mailbox: Mailbox;
  /** The version that the catalogue came from; undefined when it came from no cache. */
  readonly version: CacheVersion | undefined;
  /** Told when the mailbox cannot be written. */
  readonly cannotWrite: (reason: Error) => void;
}

/** Keeps a mailbox's cache. */
export class CacheKeeper {
  readonly #options: CacheKeeperOptions;
  #version: CacheVersion | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: CacheKeeperOptions) {
    this.#options = options;
    this.#version = options.version;
  }

  /** Writes when the answer to the login has had its turn. */
  writeSoon(catalogue: Catalogue, listed: ListingTime | undefined): void {
    const turn = new Promise<void>((resolve) => void setImmediate(resolve));
    this.#writing = turn.then(() => this.#write(catalogue, listed));
    // Whoever awaits it is told of a failure; until then it must not end the process.
    this.#writing.catch(() => {});
  }

  /** Writes now, after what is being written. */
  async write(catalogue: Catalogue, listed?: ListingTime): Promise<void> {
    await this.#writing;
    await this.#write(catalogue, listed);
  }

  /** Settles when nothing is being written any more. */
  settled(): Promise<void> {
    return this.#writing;
  }

  async #write(catalogue: Catalogue, listed: ListingTime | undefined): Promise<void> {
    const { mailbox, cannotWrite } = this.#options;
    try {
      if (!isSameVersion(cacheVersion(mailbox), this.#version)) {
        const other = await readCache(mailbox);
        if (other !== undefined) learnRetrieved(catalogue, other.contents.catalogue);
      }
      this.#version = await writeCache(mailbox, catalogue, listed) ?? this.#version;
    } catch (error) {
      if (!isFileError(error)) throw error;
      cannotWrite(error);
    }
  }
}

/** Takes over the earlier of two first retrievals of the same message. */
function learnRetrieved(catalogue: Catalogue, other: Catalogue): void {
  const times = new Map<string, number>();
  other.names.forEach((name, row) => {
    const time = other.firstRetrieved[row]!;
    if (time > 0) times.set(uniquePart(name), time);
  });
  if (times.size === 0) return;
  catalogue.names.forEach((name, row) => {
    const theirs = times.get(uniquePart(name));
    if (theirs === undefined) return;
    const ours = catalogue.firstRetrieved[row]!;
    catalogue.firstRetrieved[row] = ours === 0 ? theirs : Math.min(ours, theirs);
  });
}
