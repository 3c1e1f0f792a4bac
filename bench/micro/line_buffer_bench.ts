/** What a command line costs before it is understood. */

import { LineBuffer } from "../../lib/bytes/line_buffer.ts";

const one = new TextEncoder().encode("RETR 17\r\n");
const train = new TextEncoder().encode("RETR 17\r\n".repeat(1000));

Deno.bench("one line, alone", () => {
  const lines = new LineBuffer(255);
  lines.push(one);
  lines.next();
});

Deno.bench("a thousand lines in one push", () => {
  const lines = new LineBuffer(255);
  lines.push(train);
  while (lines.next() !== undefined);
});
