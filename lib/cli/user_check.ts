/** `postern user check FILE`: says beforehand which lines of a passwd-file would not serve, and why. */

import { canonicalName } from "../bytes/canonical_name.ts";
import type { Settings } from "../contracts/settings.ts";
import { fileErrorReason } from "../files/file_error.ts";
import { passwdEntries } from "../auth/passwd/passwd_entry.ts";
import { complain, print } from "../terminal/output.ts";
import { json, safe } from "../terminal/safe_text.ts";
import { count } from "./state_report.ts";

/**
 * Reads a passwd-file as the server would, and changes nothing.
 *
 * @param path `-` is standard input
 * @returns the exit status: 0 every line serves, 1 some do not, or the file cannot be read
 */
export async function checkUsersFile(
  path: string,
  rules: Pick<Settings, "defaultDomain" | "names" | "recipientDelimiter">,
  asJson: boolean,
): Promise<number> {
  let text: string;
  try {
    text = path === "-"
      ? await new Response(Deno.stdin.readable).text()
      : new TextDecoder("utf-8", { fatal: true }).decode(await Deno.readFile(path));
  } catch (error) {
    const reason = error instanceof TypeError ? "it is not valid UTF-8" : fileErrorReason(error);
    complain(`postern: ${safe(path)} cannot be read: ${reason}`);
    return 1;
  }
  const problems: string[] = [];
  const users = new Set<string>();
  const schemes = new Map<string, number>();
  const refused = (line: string): void => void problems.push(line);
  for (const { name, line, field } of passwdEntries(text, path, refused)) {
    const canonical = canonicalName(name, rules);
    if (users.has(canonical)) refused(`${path}, line ${line}: duplicate user ${canonical}`);
    users.add(canonical);
    const scheme = /^\{([^}.]*)/.exec(field)?.[1]?.toUpperCase() ?? "CRYPT";
    schemes.set(scheme, (schemes.get(scheme) ?? 0) + 1);
  }
  if (asJson) {
    print(
      `${
        json({
          ok: problems.length === 0,
          users: users.size,
          schemes: Object.fromEntries(schemes),
          problems,
        })
      }\n`,
    );
  } else {
    for (const problem of problems) print(`${safe(problem)}\n`);
    const kinds = [...schemes].map(([scheme, users]) => `${users} {${scheme}}`).join(", ");
    print(
      `${count(users.size, "user")}${kinds === "" ? "" : ` (${safe(kinds)})`}, ${
        count(problems.length, "problem")
      }\n`,
    );
  }
  return problems.length === 0 ? 0 : 1;
}
