// kill -9 of the whole program during deletes and state changes, many times over: POSTERN_TEST_HEAVY=1 for 200 of them.
import { assertEquals } from "@std/assert";
import { temporaryFolder } from "../support/mailboxes.ts";
import { soak } from "../soak/soak.ts";

const kills = Deno.env.get("POSTERN_TEST_HEAVY") === "1" ? 200 : 20;

Deno.test(`${kills} kills lose no message, bring none back that QUIT acknowledged, and need no repair`, async () => {
  await using folder = await temporaryFolder();
  const outcome = await soak({
    folder,
    workers: 2,
    until: { kills },
    life: () => 50 + Math.random() * 500,
    random: Math.random,
  });
  assertEquals(outcome.ledger.faults, []);
  assertEquals(outcome.kills, kills);
});
