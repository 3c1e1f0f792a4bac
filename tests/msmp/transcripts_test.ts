// Plays the transcripts of both versions: in process over connections in memory, and against the started program.
import { join } from "node:path";
import { temporaryFolder } from "../support/mailboxes.ts";
import { Pop3Client } from "../support/pop3_client.ts";
import { startProgram } from "../support/program.ts";
import { parseTranscript } from "../support/transcript.ts";
import { play } from "../support/transcript_player.ts";
import { startManagement } from "../support/in_process.ts";

for (const file of ["version1.txt", "version2.txt"]) {
  const text = Deno.readTextFileSync(join(import.meta.dirname!, file));
  const transcript = parseTranscript(text, file);

  Deno.test(`${transcript.title}: in process`, async (t) => {
    for (const scene of transcript.scenes) {
      await t.step(scene.name, async () => {
        await using folder = await temporaryFolder();
        await using server = await startManagement({
          users: transcript.users,
          maildir: folder.path,
        });
        await play({ ...transcript, users: {} }, scene, {
          maildir: folder.path,
          connect: (name) => server.connect(name),
        });
      });
    }
  });

  Deno.test(`${transcript.title}: against the program`, async (t) => {
    await using folder = await temporaryFolder();
    await using program = await startProgram({
      maildir: folder.path,
      users: transcript.users,
      flags: ["--admin", "root:secret", "--auth-delay", "0"],
    });
    const port = program.port("msmp");
    for (const scene of transcript.scenes) {
      await t.step(scene.name, () =>
        play({ ...transcript, users: {} }, scene, {
          maildir: folder.path,
          connect: () => Pop3Client.connect({ port }),
        }));
    }
  });
}
