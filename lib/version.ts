/** The program's version: deno.json says it once. */

import config from "../deno.json" with { type: "json" };

/** As in `0.1.0` (semver.org). */
export const VERSION: string = config.version;
