// Errors of files are known by their numbers, whichever interface they come from.

import { assert, assertEquals } from "@std/assert";
import fs from "node:fs";
import {
  fileErrorNumber,
  fileErrorReason,
  isFileError,
  isNotFound,
  isTemporaryFileError,
} from "../../lib/files/file_error.ts";
import { ERRNO, FaultInjection, faultTest } from "../support/fault_injection/fault_injection.ts";
import { temporaryFolder } from "../support/mailboxes.ts";

function errorOf(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error("It did not fail.");
}

Deno.test("a missing file is the same error by both of the runtime's interfaces", () => {
  const errors = [
    errorOf(() => Deno.lstatSync("/no/such")),
    errorOf(() => fs.lstatSync("/no/such")),
    new Deno.errors.NotFound("in the runtime's own words"),
  ];
  for (const error of errors) {
    assert(isFileError(error) && isNotFound(error) && !isTemporaryFileError(error));
    assertEquals(fileErrorReason(error), "no such file or folder (ENOENT)");
  }
});

Deno.test("errors that have no code are known by the number in their text", () => {
  const quota = new Error("Disk quota exceeded (os error 122): open '/mail/a'");
  assert(isFileError(quota) && isTemporaryFileError(quota));
  assertEquals(fileErrorReason(quota), "disk quota exceeded (EDQUOT)");
  const unknown = Object.assign(new Error("UNKNOWN: unknown error, open '/mail/a'"), {
    code: "UNKNOWN",
    errno: -116,
  });
  assertEquals(
    fileErrorReason(unknown),
    "stale file handle: the file server no longer knows it (ESTALE)",
  );
  const strange = new Error("Something new (os error 1234)");
  assert(isFileError(strange) && isTemporaryFileError(strange));
  assertEquals(fileErrorReason(strange), "system error 1234");
});

Deno.test("faults of the program are no errors of files", () => {
  const faults = [
    new TypeError("Cannot read properties of undefined"),
    Object.assign(new TypeError("an argument"), { code: "ERR_INVALID_ARG_TYPE" }),
    Object.assign(new Error("disk I/O error"), { code: "ERR_SQLITE_ERROR" }),
    new RangeError("Array buffer allocation failed"),
    "text",
  ];
  for (const fault of faults) {
    assert(!isFileError(fault), String(fault));
    assertEquals(fileErrorNumber(fault), undefined);
  }
});

Deno.test("a file's name is not taken for the number of an error", () => {
  const error = new Error("No such file or directory (os error 2): open '/mail/(os error 122)'");
  assertEquals(fileErrorNumber(error), ERRNO.ENOENT);
});

faultTest("every error of the file system is known in every call of the runtime", async () => {
  await using folder = await temporaryFolder();
  const path = `${folder.path}/file`;
  await Deno.writeTextFile(path, "octets");
  await using injection = await FaultInjection.make();
  // A program of its own for each number would take long: one tries all, and the shim is told the next by it.
  const source = `
    import fs from "node:fs";
    import { fileErrorReason, isFileError, isTemporaryFileError } from ${
    JSON.stringify(import.meta.resolve("../../lib/files/file_error.ts"))
  };
    const path = ${JSON.stringify(path)};
    const control = Deno.env.get("FAULT_INJECTION_FILE");
    const calls = [
      () => Deno.openSync(path).close(),
      () => fs.closeSync(fs.openSync(path, fs.constants.O_NOFOLLOW)),
      () => Deno.lstatSync(path),
      () => fs.lstatSync(path),
      () => Deno.renameSync(path, path + "2"),
      () => Deno.removeSync(path),
      async () => void await Deno.lstat(path),
    ];
    for (const number of ${JSON.stringify(Object.values(ERRNO))}) {
      Deno.writeTextFileSync(control + ".next", "open,stat,rename,unlink " + path + " errno " + number + " \\n".repeat(number));
      Deno.renameSync(control + ".next", control);
      const reasons = new Set();
      for (const call of calls) {
        try {
          await call();
          reasons.add("no error");
        } catch (error) {
          if (!isFileError(error)) reasons.add("no file error: " + error);
          reasons.add(fileErrorReason(error) + (isTemporaryFileError(error) ? " temporary" : ""));
        }
      }
      console.log(number, [...reasons].join(" | "));
    }`;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", source],
    env: { ...injection.env, NO_COLOR: "1" },
  }).output();
  assertEquals(
    new TextDecoder().decode(stdout).split("\n"),
    [
      "1 operation not permitted (EPERM)",
      "2 no such file or folder (ENOENT)",
      "5 input/output error (EIO) temporary",
      "13 permission denied (EACCES)",
      "16 in use by the system (EBUSY) temporary",
      "23 too many open files on this machine (ENFILE) temporary",
      "24 too many open files (EMFILE) temporary",
      "28 no space left on the disk (ENOSPC) temporary",
      "30 read-only file system (EROFS)",
      "36 file name too long (ENAMETOOLONG)",
      "107 file server is not connected (ENOTCONN) temporary",
      "110 file server did not answer in time (ETIMEDOUT) temporary",
      "116 stale file handle: the file server no longer knows it (ESTALE) temporary",
      "117 damaged file system; it needs a check (EUCLEAN) temporary",
      "122 disk quota exceeded (EDQUOT) temporary",
      "",
    ],
    new TextDecoder().decode(stderr),
  );
});
