/** What commands say on standard output and standard error. */

const encoder = new TextEncoder();

/** Writes a text and a line end to standard output. Returns the exit status of a command that has done what it should. */
export function printLine(text: string): 0 {
  writeAll(Deno.stdout, `${text}\n`);
  return 0;
}

/** Writes a text and a line end to standard error. */
export function complain(text: string): void {
  writeAll(Deno.stderr, `${text}\n`);
}

/** Writes a text to the terminal, where a person is asked something: to standard error, as standard output may be a file. */
export function write(text: string): void {
  writeAll(Deno.stderr, text);
}

/** Writes a text to standard output as it is. Returns whether anybody reads it. */
export function print(text: string): boolean {
  return writeAll(Deno.stdout, text);
}

function writeAll(to: { writeSync(octets: Uint8Array): number }, text: string): boolean {
  let octets = encoder.encode(text);
  try {
    while (octets.length > 0) octets = octets.subarray(to.writeSync(octets));
    return true;
  } catch (error) {
    // Nobody reads any more, as in `postern -h | head -1`: nothing is left to say.
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
    return false;
  }
}
