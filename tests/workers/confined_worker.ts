/** Tries, from inside a thread, what a session worker or a thread beside it must not be able to do, and what it must. */

import { spawnSync } from "node:child_process";
import { readFileSync, readSync } from "node:fs";
import process from "node:process";

/** What the test has prepared. */
export interface Grounds {
  readonly kind: "session worker" | "thread for slow mailboxes" | "transformers' thread";
  readonly maildir: string;
  readonly port: number;
  readonly otherPort: number;
  readonly outside: string;
  readonly stateFile: string;
  readonly keyFile: string;
  readonly program: string;
}

type Attempts = Readonly<Record<string, () => unknown>>;

function forbidden(grounds: Grounds): Attempts {
  const { maildir, port, program } = grounds;
  const others: Readonly<Record<Grounds["kind"], Attempts>> = {
    "session worker": runs(program),
    "thread for slow mailboxes": { ...runs(program), ...listens(port) },
    "transformers' thread": {
      "writing mail": () => Deno.writeTextFile(`${maildir}/new`, "x"),
      "removing mail": () => Deno.remove(`${maildir}/kept`),
      ...listens(port),
    },
  };
  return { ...forbiddenToAll(grounds), ...others[grounds.kind] };
}

function runs(program: string): Attempts {
  return {
    "the transformer": () => new Deno.Command(program, { args: ["--version"] }).output(),
  };
}

function listens(port: number): Attempts {
  return {
    "listening": () => Deno.listen({ hostname: "127.0.0.1", port, reusePort: true }).close(),
  };
}

function forbiddenToAll({ outside, stateFile, keyFile, otherPort, port }: Grounds): Attempts {
  return {
    "a variable of the environment": () => Deno.env.get("PATH"),
    "a POSTERN_ variable": () => Deno.env.get("POSTERN_ADMIN"),
    "the whole environment": () => {
      // Where some names are to be ignored, the runtime gives no error but nothing.
      const told = Object.keys(Deno.env.toObject());
      if (told.length === 0) throw new Deno.errors.NotCapable("nothing is told");
    },
    "setting a variable": () => Deno.env.set("POSTERN_X", "1"),
    "the environment by node:process": () => {
      const path = process.env.PATH;
      if (path === undefined) throw new Deno.errors.NotCapable("nothing is told");
    },
    "reading the state file": () => Deno.readFile(stateFile),
    "writing the state file": () => Deno.writeTextFile(stateFile, "x"),
    "reading the key file": () => Deno.readTextFile(keyFile),
    "reading the key file by node:fs": () => readFileSync(keyFile),
    "reading another thread's file by its number": () => {
      const read = Array.from({ length: 256 }, (_, number) => number).filter(canRead);
      if (read.length === 0) throw new Deno.errors.NotCapable("no number is open here");
    },
    "another folder": () => Deno.readDirSync(outside).next(),
    "a folder beside, by dots": () => Deno.readDirSync(`${outside}/../${"mail"}/..`).next(),
    "a new file elsewhere": () => Deno.writeTextFile(`${outside}/new`, "x"),
    "removing a file elsewhere": () => Deno.remove(keyFile),
    "a link from the mail folder": () => Deno.symlink(keyFile, `${outside}/link`),
    "the system's users": () => Deno.readTextFile("/etc/passwd"),
    "another program": () => new Deno.Command("/bin/sh", { args: ["-c", "true"] }).output(),
    "another program by node:child_process": () => {
      const { error } = spawnSync("/bin/sh", ["-c", "true"]);
      if (error !== undefined) throw error;
    },
    "a signal": () => Deno.kill(Deno.ppid, "SIGCONT"),
    "listening on another port": () => Deno.listen({ hostname: "127.0.0.1", port: otherPort }),
    "listening on another address": () => Deno.listen({ hostname: "127.0.0.2", port }),
    "listening on a file": () => Deno.listen({ transport: "unix", path: `${outside}/socket` }),
    "connecting to another port": () => Deno.connect({ hostname: "127.0.0.1", port: otherPort }),
    "a name server": () => Deno.resolveDns("example.org", "A"),
    "fetching": () => fetch(`http://127.0.0.1:${otherPort}/`),
    "the host's name": () => Deno.hostname(),
    "the system's release": () => Deno.osRelease(),
    "the network's interfaces": () => Deno.networkInterfaces(),
    "the user's id": () => Deno.uid(),
    "a foreign library": () => Deno.dlopen("libc.so.6", {}),
    "code from the network": () => import(`http://127.0.0.1:${otherPort}/code.ts`),
    "code from another folder": () => import(`file://${outside}/code.ts`),
    "a worker with more permissions": () =>
      void new Worker("data:text/javascript,0", {
        type: "module",
        deno: { permissions: { read: true } },
      }),
    "asking for more": () => {
      const { state } = Deno.permissions.requestSync({ name: "read", path: "/" });
      if (state !== "granted") throw new Deno.errors.NotCapable(state);
    },
  };
}

function allowed({ kind, maildir, port, program }: Grounds): Attempts {
  if (kind === "transformers' thread") {
    return { "reading mail": () => Deno.readDirSync(maildir).next(), ...runs(program) };
  }
  return {
    "reading mail": () => Deno.readDirSync(maildir).next(),
    "writing mail": () => Deno.writeTextFile(`${maildir}/new`, "x"),
    "removing mail": () => Deno.remove(`${maildir}/new`),
    ...(kind === "session worker" && listens(port)),
  };
}

function canRead(number: number): boolean {
  try {
    return readSync(number, new Uint8Array(5), 0, 5, 0) > 0;
  } catch {
    return false;
  }
}

async function outcomes(attempts: Attempts): Promise<[string, string][]> {
  const told: [string, string][] = [];
  for (const [name, attempt] of Object.entries(attempts)) {
    try {
      await attempt();
      told.push([name, "done"]);
    } catch (error) {
      told.push([name, isRefusal(error) ? "refused" : String(error)]);
    }
  }
  return told;
}

function isRefusal(error: unknown): boolean {
  if (error instanceof Deno.errors.NotCapable) return true;
  // Some of Deno's interfaces wrap the refusal.
  return error instanceof Error &&
    /NotCapable|Requires \w+ access|permission|escalate/i.test(
      `${error.name} ${error.message} ${error.cause ?? ""}`,
    );
}

const scope = globalThis as unknown as Worker;
scope.onmessage = async ({ data }: MessageEvent<Grounds>) => {
  scope.postMessage({
    forbidden: await outcomes(forbidden(data)),
    allowed: await outcomes(allowed(data)),
  });
};
