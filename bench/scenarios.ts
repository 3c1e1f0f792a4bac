/** All macro benchmarks, in the order in which they run. */

import { crowd, transformedCrowd } from "./scenarios/crowd.ts";
import { drain } from "./scenarios/drain.ts";
import { idleGreeted, idleLoggedIn } from "./scenarios/idle.ts";
import { loginLarge } from "./scenarios/login_large.ts";
import { management } from "./scenarios/management.ts";
import { manyUsers } from "./scenarios/many_users.ts";
import { passwords } from "./scenarios/passwords.ts";
import { refused } from "./scenarios/refused.ts";
import { retrieveLarge } from "./scenarios/retrieve_large.ts";
import { sessions } from "./scenarios/sessions.ts";
import { shutdown } from "./scenarios/shutdown.ts";
import { tls } from "./scenarios/tls.ts";
import { transformerLarge } from "./scenarios/transformer_large.ts";
import type { Scenario } from "./support/scenario.ts";

/** See `deno task bench --list`. */
export const SCENARIOS: readonly Scenario[] = [
  retrieveLarge,
  transformerLarge,
  tls,
  loginLarge,
  crowd,
  transformedCrowd,
  drain,
  sessions,
  passwords,
  refused,
  management,
  manyUsers,
  idleGreeted,
  idleLoggedIn,
  shutdown,
];
