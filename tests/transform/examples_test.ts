// Runs what docs/transformers.md tells the reader to run.

import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { splitWords } from "../../lib/transform/split_words.ts";
import { TransformerError } from "../../lib/contracts/transformer.ts";
import { text, withPrograms } from "./with_programs.ts";

const EXAMPLES = new URL("../../docs/examples/", import.meta.url).pathname;
const PAGE = new URL("../../docs/transformers.md", import.meta.url);

/** The transformers of the page's commands, with the scripts' folder as it is in the repository. */
async function documented(): Promise<string[]> {
  const page = await Deno.readTextFile(PAGE);
  const commands = [...page.matchAll(/^postern (.*)$/gm)].map((match) => match[1] ?? "");
  return commands.map((command) => {
    const words = splitWords(command);
    const transformer = words[words.indexOf("-t") + 1] ?? "";
    return transformer.replace("/usr/local/lib/postern/", EXAMPLES);
  });
}

async function through(commandLine: string, message: string): Promise<string> {
  let out = "";
  await withPrograms({}, async ({ apply }) => {
    out = await text(await apply(commandLine, message));
  });
  return out;
}

async function exists(program: string): Promise<boolean> {
  const { success } = await new Deno.Command("/bin/sh", {
    args: ["-c", `command -v ${program}`],
    stdout: "null",
  }).output();
  return success;
}

const SED = `sed -f ${EXAMPLES}mark-subject.sed`;
const AWK = `awk -f ${EXAMPLES}defang.awk`;
const SPAMASSASSIN = "spamassassin -L -x";
const SPAMC = "spamc -x";

Deno.test("docs/transformers.md names no command that is not tested here", async () => {
  assertEquals(new Set(await documented()), new Set([SED, AWK, SPAMASSASSIN, SPAMC]));
});

for (const [name, end] of [["LF", "\n"], ["CRLF", "\r\n"]] as const) {
  Deno.test(`mark-subject.sed marks the subject in the header alone (${name})`, async () => {
    const lines = (subject: string): string =>
      ["From: a@b", `sUBJECT: ${subject}`, "", "Subject: of the body", "", "x"].join(end);
    assertEquals(await through(SED, lines("hello")), lines("[list] hello"));
  });

  Deno.test(`defang.awk renames dangerous attachments and nothing else (${name})`, async () => {
    const lines = (exe: string, js: string): string =>
      [
        "Subject: filename=letter.exe",
        'Content-Type: multipart/mixed; boundary="=_1"',
        "",
        "--=_1",
        "Content-Type: text/plain",
        "",
        'Content-Type: a/b; name="in a body.exe"',
        "",
        "--=_1",
        `content-type: application/octet-stream; name="Invoice.${exe}"; x=y.pdf`,
        "Content-Disposition: attachment;",
        `\tfilename=run me.${js}`,
        "Content-Transfer-Encoding: base64",
        "",
        "TVqQAAMAAAAEAAAA",
        "--=_1--",
        "",
      ].join(end);
    const out = await through(AWK, lines("EXE", "js"));
    assertEquals(out, lines("EXE.defanged", "js.defanged"));
  });
}

const LETTER = [
  "From: Ada <ada@example.org>",
  "To: Bob <bob@example.org>",
  "Subject: Lunch",
  "Date: Fri, 20 Nov 2026 10:00:00 +0000",
  "Message-ID: <1@example.org>",
  "",
  "Shall we have lunch at noon?",
  "",
].join("\n");

Deno.test({
  name: "spamassassin -L -x says what it thinks of a message, and passes it on",
  ignore: !await exists("spamassassin"),
  async fn(): Promise<void> {
    const out = await through(SPAMASSASSIN, LETTER);
    assertStringIncludes(out, "X-Spam-Checker-Version: SpamAssassin");
    assert(out.endsWith("\n\nShall we have lunch at noon?\n"));
  },
});

Deno.test({
  name: "spamc -x fails where no daemon answers, so that no unchecked message passes",
  ignore: !await exists("spamc"),
  async fn(): Promise<void> {
    let port: number;
    {
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      port = listener.addr.port;
    }
    const command = `${SPAMC} -d 127.0.0.1 -p ${port} --connect-retries 1`;
    const failure = await assertRejects(() => through(command, LETTER), TransformerError);
    assertEquals(failure.reason, "exit-status");
  },
});
