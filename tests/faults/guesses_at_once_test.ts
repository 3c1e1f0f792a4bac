/** The guard was asked before a password was checked: of two hundred guesses said at once, none was refused for the others. */

import { assert, assertEquals } from "@std/assert";
import { startStage, USERS } from "../attacks/stage.ts";

Deno.test("guesses on many connections at once are shut out like guesses one after the other", async () => {
  await using stage = await startStage({ tls: false });
  using clients = new DisposableStack();
  const guessers = await Promise.all(
    Array.from({ length: 200 }, async () => {
      const client = clients.use(await stage.connect());
      await client.line();
      await client.ok("USER alice");
      return client;
    }),
  );
  const answers = await Promise.all(
    guessers.map((client, turn) =>
      client.command(`PASS ${turn === guessers.length - 1 ? USERS.alice : `guess ${turn}`}`)
    ),
  );
  assertEquals(new Set(answers), new Set(["-ERR [AUTH] Authentication failed"]));
  using late = await stage.connect();
  assert((await late.line()).startsWith("-ERR [AUTH] "));
});
