// Which addresses are opened beside each other, and which are left out.

import { assertEquals, assertThrows } from "@std/assert";
import { type Listening, listenTogether } from "../../lib/net/listen_together.ts";
import { ListenError } from "../../lib/net/start_error.ts";

/** Opens a real port; its address is told as it was asked for. */
function open(hostname: string, port: number): Listening & { readonly hostname: string } {
  const listener = Deno.listen({ hostname, port });
  const address = listener.addr;
  return { hostname, address, [Symbol.dispose]: () => listener.close() };
}

for (
  const [asked, opened] of [
    [["127.0.0.1", "127.0.0.1"], ["127.0.0.1"]],
    [["0.0.0.0", "::"], ["::"]],
    [["127.0.0.1", "0.0.0.0"], ["0.0.0.0"]],
    [["127.0.0.1", "::1"], ["127.0.0.1", "::1"]],
  ] as const
) {
  Deno.test(`listenTogether takes ${asked.join(" and ")}`, () => {
    using stack = new DisposableStack();
    const listeners = listenTogether(asked, 0, open).map((one) => stack.use(one));
    assertEquals(listeners.map(({ hostname }) => hostname), [...opened]);
    assertEquals(new Set(listeners.map(({ address }) => address.port)).size, 1);
  });
}

Deno.test("listenTogether refuses a port that another program has", () => {
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = other.addr;
  assertThrows(() => listenTogether(["127.0.0.1"], port, open), ListenError, "another program");
  assertThrows(() => listenTogether(["0.0.0.0"], port, open), ListenError, "another program");
});
