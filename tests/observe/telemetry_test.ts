/** OpenTelemetry: what a collector on loopback gets from a program with Deno's built-in exporter. */

import { assert, assertEquals } from "@std/assert";

interface Point {
  readonly asInt?: string | number;
  readonly asDouble?: number;
  readonly count?: string | number;
  readonly attributes?: readonly { key: string; value: { stringValue?: string } }[];
}
interface Metric {
  readonly name: string;
  readonly unit?: string;
  readonly sum?: { dataPoints: Point[]; isMonotonic?: boolean };
  readonly gauge?: { dataPoints: Point[] };
  readonly histogram?: { dataPoints: Point[] };
}

const PROGRAM = `
import { Counters } from "OBSERVE/counters.ts";
import { Sessions } from "OBSERVE/sessions.ts";
import { startTelemetry } from "OBSERVE/telemetry.ts";
const sessions = new Sessions();
const counters = new Counters(sessions);
counters.restore(new Map([["pop3.logins", 40]]));
using telemetry = startTelemetry(counters, "1.2.3");
for (const event of [
  { type: "connected", session: "1", at: 1, address: "192.0.2.7", port: 110, tls: undefined },
  { type: "login", session: "1", at: 1, user: "a", mechanism: "USER", messages: 1, octets: 1, milliseconds: 1 },
  { type: "command", session: "1", name: "STAT", outcome: "ok", milliseconds: 5 },
  { type: "command", session: "1", name: "RETR", outcome: "error", milliseconds: 5 },
  { type: "sent", session: "1", octets: 77 },
] as const) {
  sessions.observe(event);
  counters.observe(event);
  telemetry.observe(event);
}
await Deno.stdin.read(new Uint8Array(1));
`;

Deno.test("every metric reaches an OpenTelemetry collector, by its name and kind", async () => {
  const metrics = new Map<string, Metric>();
  const complete = Promise.withResolvers<void>();
  await using collector = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const body = await request.json();
      if (new URL(request.url).pathname === "/v1/metrics") {
        for (const { scopeMetrics } of body.resourceMetrics) {
          for (const scope of scopeMetrics) {
            if (scope.scope.name !== "postern") continue;
            for (const metric of scope.metrics) metrics.set(metric.name, metric);
          }
        }
        if (metrics.has("pop3.bytes.sent")) complete.resolve();
      }
      return Response.json({});
    },
  );
  const folder = await Deno.makeTempDir();
  try {
    const observe = new URL("../../lib/observe", import.meta.url).href;
    await Deno.writeTextFile(`${folder}/program.ts`, PROGRAM.replaceAll("OBSERVE", observe));
    const config = new URL("../../deno.json", import.meta.url).pathname;
    await using child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-lock", "--config", config, `${folder}/program.ts`],
      stdin: "piped",
      env: {
        OTEL_DENO: "true",
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
        OTEL_METRIC_EXPORT_INTERVAL: "100",
      },
    }).spawn();
    await Promise.race([
      complete.promise,
      child.status.then(({ code }) => {
        throw new Error(`The program ended by itself, with ${code}.`);
      }),
    ]);
    await child.stdin.close();
    await child.status;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  assertEquals(points(metrics, "pop3.logins"), [[[], 41]]);
  assertEquals(points(metrics, "pop3.bytes.sent"), [[[], 77]]);
  assertEquals(points(metrics, "pop3.sessions.active"), [[[], 1]]);
  assertEquals(points(metrics, "pop3.commands").length, 4);
  assert(
    points(metrics, "pop3.commands").some(([labels, n]) =>
      labels.join() === "command=RETR,outcome=error" && n === 1
    ),
  );
  assertEquals(points(metrics, "pop3.command.duration").map(([, n]) => n), [1, 1]);
  const kinds = (name: string): unknown => {
    const { sum, gauge, histogram } = metrics.get(name) ?? {};
    return [
      sum === undefined ? undefined : sum.isMonotonic === true ? "counter" : "up/down counter",
      gauge && "gauge",
      histogram && "histogram",
    ].filter((kind) => kind !== undefined);
  };
  assertEquals(kinds("pop3.sessions.active"), ["up/down counter"]);
  assertEquals(kinds("pop3.sessions.peak"), ["gauge"]);
  assertEquals(kinds("pop3.connections"), ["counter"]);
  assertEquals(kinds("pop3.commands"), ["counter"]);
  assertEquals(kinds("pop3.command.duration"), ["histogram"]);
  // Each duration is told by its command's name.
  assertEquals(
    points(metrics, "pop3.command.duration").map(([labels]) => labels.join()).sort(),
    ["command=RETR", "command=STAT"],
  );
  assertEquals(metrics.get("pop3.bytes.sent")?.unit, "By");
  assertEquals(metrics.get("pop3.bytes.sent")?.sum?.isMonotonic, true);
});

function points(
  metrics: ReadonlyMap<string, Metric>,
  name: string,
): (readonly [string[], number])[] {
  const metric = metrics.get(name);
  const all = metric?.sum ?? metric?.gauge ?? metric?.histogram;
  return (all?.dataPoints ?? []).map((point) => {
    const labels = (point.attributes ?? []).map(({ key, value }) => `${key}=${value.stringValue}`);
    return [labels.sort(), Number(point.asInt ?? point.asDouble ?? point.count)] as const;
  });
}
