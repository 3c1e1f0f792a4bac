// Plays every transcript of this folder in process over connections in memory, and against the program with 1, 2 and 4 workers.
import { join } from "node:path";
import { startInProcess } from "../support/in_process.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { startProgram } from "../support/program.ts";
import { parseTranscript, type Transcript } from "../support/transcript.ts";
import { play } from "../support/transcript_player.ts";

const files = [...Deno.readDirSync(import.meta.dirname!)]
  .map(({ name }) => name)
  .filter((name) => name.endsWith(".txt"))
  .sort();

for (const file of files) {
  const transcript = parseTranscript(
    Deno.readTextFileSync(join(import.meta.dirname!, file)),
    file,
  );
  const flags = ["--auth-delay", "0", ...transcript.flags];

  Deno.test(`${transcript.title}: in process`, async (t) => {
    await playScenes(t, transcript, async (folder, run) => {
      await using server = await startInProcess({
        maildir: folder,
        users: transcript.users,
        flags,
      });
      await run({ maildir: folder, connect: (name) => server.connect(name) });
    });
  });

  for (const workers of [1, 2, 4]) {
    Deno.test(`${transcript.title}: against the program with ${workers} workers`, async (t) => {
      await playScenes(t, transcript, async (folder, run) => {
        await using program = await startProgram({
          maildir: folder,
          users: transcript.users,
          flags: ["--workers", String(workers), ...flags],
        });
        await run({ maildir: folder, connect: () => program.connect() });
      });
    });
  }
}

/** Plays all scenes as steps of one test, on one stage that `set` builds and takes down. */
async function playScenes(
  t: Deno.TestContext,
  transcript: Transcript,
  set: (
    folder: string,
    run: (stage: Parameters<typeof play>[2]) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  await using folder = await temporaryFolder();
  await set(folder.path, async (stage) => {
    for (const scene of transcript.scenes) {
      await t.step(scene.name, () => play(transcript, scene, stage));
    }
  });
}
