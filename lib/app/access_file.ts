/** The file of `--access-log`, which other programs read. */

import type { Settings } from "../contracts/settings.ts";
import { FileOutput, LogFileError } from "../log/log_file.ts";
import { logger } from "../log/logging.ts";
import { StartError } from "../net/start_error.ts";

const log = logger("server");

/** Opens the file of `--access-log`, where there is one. @throws {StartError} when it cannot be opened */
export function openAccessFile(
  { accessLog }: Settings,
  stack: AsyncDisposableStack,
): FileOutput | undefined {
  if (accessLog === undefined) return undefined;
  try {
    return stack.use(
      new FileOutput(accessLog, {
        names: { title: "access log", flag: "--access-log" },
        complain: (sentence) => log.error("{sentence}", { sentence }),
      }),
    );
  } catch (error) {
    if (error instanceof LogFileError) throw new StartError(error.message, { cause: error });
    throw error;
  }
}
