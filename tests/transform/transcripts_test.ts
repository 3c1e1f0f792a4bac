// Plays the transcripts that fetch messages once more, against the started program with every message going through cat.
import { assert } from "@std/assert";
import { join } from "node:path";
import { projectRoot, temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { parseTranscript, type Step, type Transcript } from "../support/transcript.ts";
import { play } from "../support/transcript_player.ts";

const folder = join(projectRoot, "tests", "transcripts");

/** What RETR says where no transformer is on. Nothing else of the server's looks so. */
const SIZE_NAMED = /^\+OK \d+ octets$/;

/** A program makes of a message what it likes, so RETR's first line names no size. Everything else is as without one. */
function withoutSizes(step: Step): Step {
  if (step.kind !== "expect" || !SIZE_NAMED.test(step.pattern)) return step;
  return { ...step, pattern: "+OK message follows" };
}

function fetches({ scenes }: Transcript): boolean {
  return scenes.some(({ steps }) => steps.some(({ kind }) => kind === "message"));
}

const transcripts = [...Deno.readDirSync(folder)]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".txt"))
  .sort()
  .map((name) => parseTranscript(Deno.readTextFileSync(join(folder, name)), name))
  .filter(fetches);

for (const transcript of transcripts) {
  Deno.test(`${transcript.title}: through cat`, async (t) => {
    await using mail = await temporaryFolder();
    await using program = await startProgram({
      maildir: mail.path,
      users: transcript.users,
      flags: ["--auth-delay", "0", "--transformer", "cat", ...transcript.flags],
    });
    for (const { name, steps } of transcript.scenes) {
      const scene = { name, steps: steps.map(withoutSizes) };
      await t.step(
        name,
        () => play(transcript, scene, { maildir: mail.path, connect: () => program.connect() }),
      );
    }
  });
}

Deno.test("Transcripts that fetch messages are found", () => assert(transcripts.length >= 10));
