/** The scrape, read back by the rules of the text format. */

import { assert, assertEquals, assertMatch } from "@std/assert";
import { Counters } from "../../lib/observe/counters.ts";
import { prometheusText } from "../../lib/observe/prometheus.ts";
import { command, connected, refused } from "./support.ts";

function scrape(): string {
  const counters = new Counters({ size: 3 });
  counters.observe(connected("1"));
  counters.observe(refused("1", { mechanism: 'P"L\\A\nIN' }));
  counters.observe(command("1", "RETR", { milliseconds: 0.2 }));
  counters.observe(command("1", "RETR", { milliseconds: 7 }));
  counters.observe(command("1", "RETR", { milliseconds: 99_999, outcome: "error" }));
  return prometheusText(counters, [
    { name: "postern_info", help: "A \\ and\na", labels: { version: 'x"\\\n' }, value: 1 },
  ]);
}

Deno.test("a scrape has a HELP, a TYPE and well-formed lines for every metric", () => {
  const text = scrape();
  assert(text.endsWith("\n"));
  for (const line of text.trimEnd().split("\n")) {
    assertMatch(
      line,
      /^(# HELP [a-z0-9_]+ .+|# TYPE [a-z0-9_]+ (counter|gauge|histogram)|[a-z0-9_]+(\{([a-z]+="([^"\\\n]|\\[\\"n])*",?)+\})? [0-9.e+-]+)$/,
    );
  }
  assertEquals(text.match(/^# TYPE /gm)?.length, 16);
});

Deno.test("a scrape names counters, gauges and labels by the conventions", () => {
  const lines = scrape().split("\n");
  for (
    const line of [
      "pop3_connections_total 1",
      "pop3_sessions_active 3",
      'pop3_commands_total{command="RETR",outcome="ok"} 2',
      'pop3_commands_total{command="RETR",outcome="error"} 1',
      'pop3_auth_failures_total{mechanism="P_L_A_IN",reason="credentials"} 1',
      'postern_info{version="x\\"\\\\\\n"} 1',
      "# HELP postern_info A \\\\ and\\na.",
    ]
  ) assert(lines.includes(line), line);
});

Deno.test("a scrape's histogram adds up its buckets, in seconds", () => {
  const text = scrape();
  const buckets = Array.from(
    text.matchAll(/pop3_command_duration_seconds_bucket\{command="RETR",le="([^"]+)"\} (\d+)/g),
    ([, le, count]) => [le, Number(count)] as const,
  );
  assertEquals(buckets.find(([le]) => le === "0.0001")?.[1], 0);
  assertEquals(buckets.find(([le]) => le === "0.00025")?.[1], 1);
  assertEquals(buckets.find(([le]) => le === "0.01")?.[1], 2);
  assertEquals(buckets.at(-1), ["+Inf", 3]);
  assertMatch(text, /pop3_command_duration_seconds_count\{command="RETR"\} 3\n/);
  assertMatch(text, /pop3_command_duration_seconds_sum\{command="RETR"\} 100\.006/);
});
