// A log file on a full disk: nothing is thrown, it is said once, and every line that comes later is whole.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FileOutput } from "../../lib/log/log_file.ts";
import { canMount, smallDisk } from "../support/small_disk.ts";

Deno.test({
  name: "a log file on a full disk loses lines, says so once, and goes on with whole lines",
  ignore: !canMount,
  async fn(): Promise<void> {
    await using disk = await smallDisk(1024 * 1024);
    const path = `${disk.path}/postern.log`;
    const said: string[] = [];
    {
      using file = new FileOutput(path, {
        complain: (text) => said.push(text),
        maxOctets: 300_000,
      });
      file.write("first\n");
      await disk.fill();
      // The file's last page still takes some, and then a part of a line.
      for (let n = 0; n < 200; n++) file.write(`${"x".repeat(99)}\n`);
      file.reopen();
      assertEquals(said.length, 1, said.join("\n"));
      assertMatch(said[0]!, /^The log is not written: .*no space left on the disk/);
      await disk.free();
      for (let n = 0; n < 5000; n++) file.write(`${"y".repeat(99)}\n`);
      assertMatch(said[1] ?? "", /can be written again; \d+ lines were lost/);
      assertEquals(said.length, 2);
    }
    const lines = (await Deno.readTextFile(`${path}.1`)).trimEnd().split("\n");
    assertEquals(lines[0], "first");
    const broken = lines.filter((line) => !/^(first|x{99}|y{99})$/.test(line));
    assert(broken.length <= 1 && /^x*$/.test(broken[0] ?? ""), `${broken}`);
  },
});
