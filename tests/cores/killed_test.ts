// kill -9 of the whole program, and of restores, during deletes and state changes: POSTERN_TEST_HEAVY=1 for 2 000 of them.
import { assertEquals } from "@std/assert";
import { Chance } from "../support/chance.ts";
import { temporaryFolder } from "../support/mailboxes.ts";
import { soak } from "../soak/soak.ts";

const kills = Deno.env.get("POSTERN_TEST_HEAVY") === "1" ? 2000 : 40;

Deno.test(`${kills} kills lose no message, bring none back that QUIT acknowledged, and need no repair`, async () => {
  await using folder = await temporaryFolder();
  const seed = Number(Deno.env.get("POSTERN_TEST_SEED") ?? Math.floor(Math.random() * 2 ** 32));
  const chance = new Chance(seed);
  // Said before, since a hang tells nothing.
  // deno-lint-ignore no-console -- how to play it again
  console.log(`POSTERN_TEST_SEED=${seed}`);
  const { ledger, kills: counted, restores } = await soak({
    folder,
    workers: 2,
    until: { kills },
    life: () => 50 + chance.next() * 500,
    random: () => chance.next(),
  });
  assertEquals(ledger.faults, [], `seed ${seed}`);
  assertEquals(counted, kills);
  // deno-lint-ignore no-console -- how much was tried
  console.log(`${ledger.size} messages, ${kills} kills, ${restores} restores`);
});
