// Runs real programs over made-up messages: what comes out, what fails how, and what is left afterwards.

import { assert, assertEquals, assertRejects } from "@std/assert";
import { MessageGoneError } from "../../lib/contracts/mail_store.ts";
import { TransformerError } from "../../lib/contracts/transformer.ts";
import { FakeMessage, patternAt } from "./messages.ts";
import { inputTaken } from "./processes.ts";
import { eventually } from "../support/waiting.ts";
import { ended, next, octets, outputOf, text, withPrograms } from "./with_programs.ts";

const LETTER = "Subject: Greetings\r\n\r\n.\r\n..two\r\nlast line without an end";

Deno.test("ProgramTransformer sends what cat sends, octet for octet", async () => {
  await withPrograms({}, async ({ apply }) => {
    for (const size of [1, 65535, 65536, 65537, 3_000_001]) {
      const message = new FakeMessage(size);
      const out = await octets(await apply("cat", message));
      assertEquals(out.length, size);
      assertEquals(out.findIndex((octet, index) => octet !== patternAt(index)), -1);
      await eventually("the message's end", () => message.disposals === 1);
    }
  });
});

for (
  const [command, expected] of [
    ["sed 's/^Subject: /&[list] /'", LETTER.replace("Subject: ", "Subject: [list] ")],
    ["tr a-z A-Z", LETTER.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())],
    ["rev", LETTER.split("\n").map((line) => [...line].reverse().join("")).join("\n")],
    ["head -c 10", LETTER.slice(0, 10)],
    ["echo 'no input is read'", "no input is read\n"],
  ] as const
) {
  Deno.test(`ProgramTransformer runs ${command}`, async () => {
    await withPrograms({}, async ({ apply, events }) => {
      assertEquals(await text(await apply(command, LETTER)), expected);
      await eventually("the run ended", () => events.some(ended));
      assertEquals(events.find(ended)?.failure, undefined);
    });
  });
}

Deno.test("ProgramTransformer passes on binary output", async () => {
  await withPrograms({}, async ({ apply }) => {
    const packed = new Blob([await octets(await apply("gzip -c", new FakeMessage(500_000)))]);
    const out = new Uint8Array(
      await new Response(packed.stream().pipeThrough(new DecompressionStream("gzip")))
        .arrayBuffer(),
    );
    assertEquals([out.length, out[1], out[499_999]], [500_000, patternAt(1), patternAt(499_999)]);
  });
});

Deno.test("ProgramTransformer sends an empty body of an empty message", async () => {
  await withPrograms({}, async ({ apply }) => {
    assertEquals(await text(await apply("cat", "")), "");
    assertEquals(await text(await apply("true", "")), "");
  });
});

Deno.test("ProgramTransformer resolves at the first output, before the program has ended", async () => {
  await withPrograms({}, async ({ apply }) => {
    const output = outputOf(await apply("sh -c 'echo first; sleep 60'", LETTER));
    assertEquals(new TextDecoder().decode(await next(output)), "first\n");
    output.cancel();
  });
});

for (
  const [command, reason, sentence] of [
    ["/no/such/program", "not-found", "No such file"],
    ["/etc/passwd", "not-found", "Permission denied"],
    ["false", "exit-status", "exit status 1"],
    ["sh -c 'cat >/dev/null; exit 75'", "exit-status", "exit status 75"],
    ["sh -c 'kill -SEGV $$'", "exit-status", "SIGSEGV"],
    ["sh -c 'sleep 60 & exit 3'", "exit-status", "exit status 3"],
    ["true", "no-output", "made nothing"],
    ["sh -c 'sleep 60 & exit 0'", "no-output", "made nothing"],
    ["sleep 60", "timeout", "silent for 0.15 s"],
    ["sh -c 'cat >/dev/null; sleep 60'", "timeout", "silent for 0.15 s"],
    ["sh -c 'exec >&-; sleep 60'", "timeout", "silent for 0.15 s"],
    ["sh -c 'trap \"\" TERM; while :; do sleep 1; done'", "timeout", "silent for 0.15 s"],
  ] as const
) {
  Deno.test(`ProgramTransformer fails with ${reason} before the first octet of ${command}`, async () => {
    await withPrograms({ timeout: reason === "timeout" ? 150 : 20_000 }, async (workshop) => {
      const { apply, events } = workshop;
      const message = new FakeMessage(100_000);
      const error = await assertRejects(() => apply(command, message), TransformerError, sentence);
      assertEquals(error.reason, reason);
      await eventually("the run ended", () => events.some(ended));
      assertEquals(events.find(ended)?.failure, reason);
      assertEquals(message.disposals, 1);
    });
  });
}

for (
  const [command, reason] of [
    ["sh -c 'head -c 3; exit 1'", "exit-status"],
    ["sh -c 'cat; exit 1'", "exit-status"],
    ["sh -c 'head -c 3; sleep 60 & exit 1'", "exit-status"],
    ["sh -c 'yes & sleep 0.05; exit 1'", "exit-status"],
    ["sh -c 'echo x; kill -KILL $$'", "exit-status"],
    ["sh -c 'head -c 3; sleep 60'", "timeout"],
    ["sh -c 'cat; exec >&-; sleep 60'", "timeout"],
  ] as const
) {
  Deno.test(`ProgramTransformer fails with ${reason} after output of ${command}`, async () => {
    await withPrograms({ timeout: reason === "timeout" ? 500 : 20_000 }, async (workshop) => {
      const { apply, events } = workshop;
      const body = await apply(command, new FakeMessage(200_000));
      const error = await assertRejects(() => octets(body), TransformerError);
      assertEquals(error.reason, reason);
      await eventually("the run ended", () => events.some(ended));
      assertEquals(events.find(ended)?.failure, reason);
    });
  });
}

Deno.test("ProgramTransformer fails when another program cuts or lengthens the message", async () => {
  for (const command of ["cat", "sh -c 'cat >/dev/null; echo whole'", "wc -c"]) {
    await withPrograms({}, async ({ apply, events }) => {
      const message = new FakeMessage(1_000_000, 900_000);
      const body = await apply(command, message);
      const failure = await assertRejects(() => octets(body), TransformerError, "cut it");
      assertEquals(failure.reason, "input");
      await eventually("the run ended", () => events.some(ended));
      assertEquals([events.find(ended)?.failure, message.disposals], ["input", 1]);
    });
  }
});

Deno.test("ProgramTransformer does not ask whether the message was cut where the client has enough", async () => {
  await withPrograms({}, async ({ apply, events }) => {
    const output = outputOf(await apply("cat", new FakeMessage(1_000_000, 900_000)));
    await next(output);
    output.cancel();
    await eventually("the run ended", () => events.some(ended));
    assertEquals(events.find(ended)?.failure, undefined);
  });
});

Deno.test("ProgramTransformer passes on that a message is gone, and starts nothing", async () => {
  await withPrograms({ onFailure: "bypass" }, async ({ apply, events }) => {
    const message = new FakeMessage(LETTER);
    message.input = (): never => {
      throw new MessageGoneError("it is gone");
    };
    await assertRejects(() => apply("cat", message), MessageGoneError);
    assertEquals([events, message.disposals], [[], 1]);
  });
});

for (
  const [what, command, expected] of [
    ["writes before it reads", "sh -c 'echo head; exec cat'", `head\n${LETTER}`],
    ["leaves a child that holds its output", "sh -c 'cat; sleep 60 & exit 0'", LETTER],
    ["leaves a stubborn child", "sh -c 'cat; (trap \"\" TERM; sleep 60) & exit 0'", LETTER],
    ["leaves its work to a child", "sh -c 'exec 3<&0; (sleep 0.02; cat <&3) & exit 0'", LETTER],
    ["leaves a child in a session of its own", "sh -c 'cat; setsid sleep 1.5 & exit 0'", LETTER],
    ["floods its standard error", "sh -c 'yes flood | head -c 3000000 >&2; cat'", LETTER],
  ] as const
) {
  Deno.test(`ProgramTransformer takes the whole output of a program that ${what}`, async () => {
    await withPrograms({}, async ({ apply, events }) => {
      assertEquals(await text(await apply(command, LETTER)), expected);
      await eventually("the run ended", () => events.some(ended));
      assertEquals(events.find(ended)?.failure, undefined);
    });
  });
}

Deno.test("ProgramTransformer takes no offence at input that is not read", async () => {
  await withPrograms({}, async ({ apply }) => {
    const message = new FakeMessage(5_000_000);
    assertEquals(await text(await apply("echo done", message)), "done\n");
    await eventually("the message's end", () => message.disposals === 1);
  });
});

Deno.test("ProgramTransformer keeps the first KiB of standard error of a run that failed, printable", async () => {
  await withPrograms({}, async ({ apply, events }) => {
    const script = String
      .raw`printf 'bad \033[31mthing\r\nmore\n' >&2; yes flood | head -c 3000000 >&2; exit 9`;
    await assertRejects(() => apply(`sh -c "${script}"`, LETTER), TransformerError);
    await eventually("the run ended", () => events.some(ended));
    const stderrTail = events.find(ended)?.stderrTail ?? "";
    assert(stderrTail.startsWith(String.raw`bad \x1b[31mthing; more; flood; flood`), stderrTail);
    assert(stderrTail.length <= 1024);
  });
});

Deno.test("ProgramTransformer gives the program PATH, whom and what it works for, and nothing else", async () => {
  await withPrograms({ user: 'o\'dd $(touch x) "ü"\\;*' }, async ({ apply }) => {
    const lines = (await text(await apply("env", LETTER))).trimEnd().split("\n").toSorted();
    assertEquals(lines, [
      `PATH=${Deno.env.get("PATH")}`,
      "POSTERN_CLIENT=192.0.2.7",
      "POSTERN_UIDL=uid.1",
      'POSTERN_USER=o\'dd $(touch x) "ü"\\;*',
    ]);
    assertEquals(await text(await apply("pwd", LETTER)), "/\n");
  });
});

Deno.test("ProgramTransformer ends the program when its output is cancelled, and that is no failure", async () => {
  await withPrograms({}, async ({ apply, events }) => {
    const output = outputOf(await apply("yes", LETTER));
    await next(output);
    output.cancel();
    await eventually("the run ended", () => events.some(ended));
    assertEquals(events.find(ended)?.failure, undefined);
  });
});

Deno.test("ProgramTransformer kills a program that will not end, and does not keep the session waiting", async () => {
  await withPrograms({}, async ({ apply, events }) => {
    const command = "sh -c 'trap \"\" TERM; echo x; while :; do sleep 1; done'";
    const output = outputOf(await apply(command, LETTER));
    await next(output);
    output.cancel();
    assertEquals(events.some(ended), false);
    await eventually("the run ended", () => events.some(ended));
  });
});

Deno.test("ProgramTransformer ends the program with its session", async () => {
  for (const command of ["sleep 60", "yes"]) {
    await withPrograms({}, async ({ apply, client, events }) => {
      const body = apply(command, new FakeMessage(1_000_000)).then(octets);
      const failure = assertRejects(() => body, TransformerError);
      await eventually("it started", () => events.some((e) => e.type === "transformer-started"));
      client.abort(new Error("client gone"));
      assertEquals((await failure).reason, "cancelled");
      await eventually("the run ended", () => events.some(ended));
      assertEquals(events.find(ended)?.failure, "cancelled");
    });
  }
});

Deno.test("ProgramTransformer waits its turn without opening the message, and stops with the session", async () => {
  await withPrograms({ limit: 1 }, async ({ apply, client, events, semaphore }) => {
    const output = outputOf(await apply("yes", LETTER));
    const message = new FakeMessage(LETTER);
    const waiting = assertRejects(() => apply("cat", message), TransformerError);
    await eventually("it waits", () => semaphore.waiting === 1);
    const reading = assertRejects(async () => {
      while ((await next(output)).length > 0);
    }, TransformerError);
    client.abort(new Error("client gone"));
    assertEquals((await waiting).reason, "cancelled");
    await reading;
    assertEquals([message.given, message.disposals], [0, 0]);
    await eventually("the turn came back", () => semaphore.running === 0);
    assertEquals(events.filter(ended).length, 1);
  });
});

Deno.test("ProgramTransformer bypasses a program that fails before its first octet", async () => {
  for (const command of ["/no/such/program", "false", "true", "sleep 60"]) {
    await withPrograms({ timeout: 150, onFailure: "bypass" }, async ({ apply, events }) => {
      const body = await apply(command, LETTER);
      if (body.kind !== "stored") throw new Error(`${command} was not bypassed`);
      const into = new Uint8Array(1000);
      assertEquals(body.message.readSync(into), new TextEncoder().encode(LETTER).length);
      body.message[Symbol.dispose]();
      await eventually("the run ended", () => events.some(ended));
      assert(events.find(ended)?.failure !== undefined);
    });
  }
});

Deno.test("ProgramTransformer bypasses nothing once output has come", async () => {
  await withPrograms({ onFailure: "bypass" }, async ({ apply }) => {
    const body = await apply("sh -c 'echo x; exit 1'", LETTER);
    await assertRejects(() => octets(body), TransformerError);
  });
});

Deno.test("ProgramTransformer lets the program read no more than fits between it and a client that does not read", async () => {
  const timeout = 1000;
  await withPrograms({ timeout }, async ({ apply, events }) => {
    const output = outputOf(await apply("cat", new FakeMessage(8 * 1024 * 1024)));
    const started = events.find((event) => event.type === "transformer-started");
    let before = 0;
    let since = performance.now();
    // At rest for longer than the time-out, in real time: a client that does not read is no silence of the program.
    await eventually("the program at rest", async () => {
      const taken = await inputTaken(started!.pid);
      if (taken !== before || taken === 0) since = performance.now();
      before = taken;
      return performance.now() - since > timeout + 100;
    });
    assert(before > 0 && before < 512 * 1024, `${before} octets were read`);
    assert((await next(output)).length > 0);
    output.cancel();
  });
});

Deno.test("ProgramTransformer serves many at once, never more than its turns", async () => {
  await withPrograms({ limit: 8 }, async ({ apply, events }) => {
    const all = Array.from({ length: 60 }, async (_, index) => {
      const out = await octets(await apply("cat", new FakeMessage(100_000 + index)));
      assertEquals(out.length, 100_000 + index);
    });
    await Promise.all(all);
    await eventually("all ended", () => events.filter(ended).length === 60);
    let running = 0;
    let most = 0;
    for (const event of events) {
      running += event.type === "transformer-started" ? 1 : -1;
      most = Math.max(most, running);
    }
    assertEquals([running, most], [0, 8]);
  });
});

Deno.test("ProgramTransformer leaves nothing behind after hundreds of runs, one in ten failing", async () => {
  const ways = ["/no/such/program", "false", "true", "sh -c 'head -c 9; exit 1'", "sleep 60"];
  // On a busy machine cat may be silent for a second, too.
  const timeout = (command: string): number => command === "sleep 60" ? 500 : 60_000;
  await withPrograms({ limit: 8, timeout }, async ({ apply, events }) => {
    let next = 0;
    const outcomes: string[] = [];
    const lanes = Array.from({ length: 12 }, async () => {
      while (next < 300) {
        const index = next++;
        const way = index % 10 === 9 ? ways[(index - 9) / 10 % ways.length] : undefined;
        const run = apply(way ?? "cat", new FakeMessage(30_000)).then(octets);
        const outcome = await run.then((out) => `${out.length}`, (error) => error.reason);
        outcomes.push(way === undefined ? outcome : `${way}: ${outcome}`);
      }
    });
    await Promise.all(lanes);
    const count = (outcome: string): number => outcomes.filter((one) => one === outcome).length;
    assertEquals(count("30000"), 270);
    const reasons = ["not-found", "exit-status", "no-output", "exit-status", "timeout"];
    for (const [index, way] of ways.entries()) assertEquals(count(`${way}: ${reasons[index]}`), 6);
    await eventually("all ended", () => events.filter(ended).length === 300);
  });
});
