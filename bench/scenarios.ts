/** All macro benchmarks, in the order in which they run. */

import { crowd, transformedCrowd } from "./scenarios/crowd.ts";
import { idleGreeted, idleLoggedIn } from "./scenarios/idle.ts";
import { loginLarge } from "./scenarios/login_large.ts";
import { retrieveLarge } from "./scenarios/retrieve_large.ts";
import { sessions } from "./scenarios/sessions.ts";
import type { Scenario } from "./support/scenario.ts";

/** See `deno task bench --list`. */
export const SCENARIOS: readonly Scenario[] = [
  retrieveLarge,
  loginLarge,
  crowd,
  transformedCrowd,
  sessions,
  idleGreeted,
  idleLoggedIn,
];
