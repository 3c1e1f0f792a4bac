import { assertEquals } from "@std/assert";
import { absolutePaths } from "../../lib/settings/absolute_paths.ts";
import { LiveSettingsRegistry } from "../../lib/settings/live_settings.ts";
import { resolveSettings } from "../../lib/settings/resolve.ts";
import { inputs } from "./inputs.ts";

const GIVEN = inputs({
  flags: {
    maildir: ["mail"],
    users: ["users"],
    state: ["../postern.db"],
    tlsCert: ["a.pem", "/etc/b.pem"],
    tlsKey: ["a.key", "b.key"],
    logFile: ["log/postern.log"],
    oauthIssuer: ["https://example.org"],
    oauthAudience: ["mail"],
    oauthJwks: ["https://example.org/keys"],
  },
});

Deno.test("relative paths start from the folder in which the program was started", () => {
  const { maildir, users, state, tlsCert, logFile, oauthJwks, backupDir } = absolutePaths(
    resolveSettings(GIVEN).settings,
    "/srv/postern",
  );
  assertEquals([maildir, users, state], [
    "/srv/postern/mail",
    "/srv/postern/users",
    "/srv/postern.db",
  ]);
  assertEquals(tlsCert, ["/srv/postern/a.pem", "/etc/b.pem"]);
  assertEquals([logFile, backupDir], ["/srv/postern/log/postern.log", undefined]);
  assertEquals(oauthJwks, "https://example.org/keys");
  for (const place of [":memory:", "postgres://postern@db/postern"]) {
    const { settings } = resolveSettings(inputs({ flags: { state: [place] } }));
    assertEquals(absolutePaths(settings, "/srv").state, place);
  }
});

Deno.test("settings in force name files by whole paths, and are shown as they were given", () => {
  const registry = new LiveSettingsRegistry({
    inputs: { ...GIVEN, folder: "/srv/postern" },
    keep: () => Promise.resolve(),
  });
  assertEquals(registry.settings.users, "/srv/postern/users");
  assertEquals(registry.settings, registry.settings);
  assertEquals(registry.get("maildir"), "mail");
});
