/** Sends a file to whoever connects, by the shortest way that Deno has: `bare_sender.ts FILE [CERTIFICATE KEY]`. Says its port. */

const [path = "", certificate, key] = Deno.args;
const where = { hostname: "127.0.0.1", port: 0 };
const listener: Deno.Listener = certificate === undefined || key === undefined
  ? Deno.listen(where)
  : Deno.listenTls({
    ...where,
    cert: await Deno.readTextFile(certificate),
    key: await Deno.readTextFile(key),
  });
// deno-lint-ignore no-console -- this is how its parent learns the port
console.log((listener.addr as Deno.NetAddr).port);
for await (const connection of listener) {
  const file = await Deno.open(path);
  await file.readable.pipeTo(connection.writable);
}
