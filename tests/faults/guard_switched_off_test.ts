/**
 * A line of the users file whose hash asked for 9.5 GiB made every wrong password `[SYS/TEMP]`, which the guard did not count: 200
 * guesses at another user, without delay and ban, and then in. Nothing bounded what checking a hash may cost.
 */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { join } from "node:path";
import { startStage, USERS } from "../attacks/stage.ts";
import { temporaryFolder } from "../support/mailboxes.ts";

const REFUSED = "-ERR [AUTH] Authentication failed";
const BANNED = "-ERR [AUTH] Too many failed logins, try again later";
const COSTLY = [
  "eve:{ARGON2ID}$argon2id$v=19$m=9999999,t=9999,p=1$BwcHBwcHBwcHBwcHBwcHBw$QCr+opwm/FNs9/4/iSQN6bgWg44mE/8dnco3wnWL6Jw",
  `mallory:{SHA512-CRYPT}$6$rounds=999999999$a$${"a".repeat(86)}`,
  `trudy:{BLF-CRYPT}$2y$31$${"a".repeat(53)}`,
];
/** Of "correct horse", made by crypt(3). */
const CAROL =
  "carol:{SHA512-CRYPT}$6$saltstring$.r0X7ub5wGR2v4Xz7svCIozfnlorFh19V89t8KC9Umd81uGhFgsyTRNyzQDXDIm17fFcR9z3z7oBNdsyYBbtm/";

Deno.test("a users file whose hashes cost too much is told by its lines, serves the others, and switches no guard off", async () => {
  await using folder = await temporaryFolder();
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, ["# ours", ...COSTLY, CAROL].join("\n"));
  await using stage = await startStage({ tls: false, flags: ["--users", users] });
  const warnings = stage.program.log.filter(({ message }) => message.startsWith("Ignoring"));
  assertEquals(warnings.length, 3, JSON.stringify(warnings));
  assertMatch(
    warnings[0]!.message,
    /users, line 2: this \{ARGON2ID\} hash is not used: .*9766 MiB/,
  );
  assertMatch(warnings[1]!.message, /users, line 3: .* about 800 seconds; 1 is allowed/);
  assertMatch(warnings[2]!.message, /users, line 4: /);
  let turn = 0;
  for (; turn < 200; turn++) {
    using client = await stage.connect();
    if (await client.line() === BANNED) break;
    await client.ok(`USER ${["alice", "eve", "nobody"][turn % 3]}`);
    assertEquals(await client.command(`PASS guess ${turn}`), REFUSED);
  }
  assertEquals(turn, 20);
  // What was said at the start is not said again.
  assertEquals(
    stage.program.log.filter(({ message }) => /hash is not used/.test(message)).length,
    3,
  );
});

Deno.test("users beside a line that costs too much log in, by imported hashes as by keys", async () => {
  await using folder = await temporaryFolder();
  const users = join(folder.path, "users");
  await Deno.writeTextFile(users, [...COSTLY, CAROL].join("\n"));
  await using stage = await startStage({ tls: false, flags: ["--users", users] });
  for (const [name, password] of [["carol", "correct horse"], ["bob", USERS.bob]]) {
    using client = await stage.connect();
    await client.line();
    await client.ok(`USER ${name}`);
    const answer = await client.command(`PASS ${password}`);
    assert(answer.startsWith("+OK"), answer);
    await client.ok("QUIT");
  }
});
