// Locks in PostgreSQL do what all locks must, and keep what several nodes need.

import { assert, assertEquals } from "@std/assert";
import { PostgresLocks } from "../../lib/locks/postgres_locks.ts";
import { Membership } from "../../lib/state/postgres/membership.ts";
import { PostgresState } from "../../lib/state/postgres/postgres_state.ts";
import { locksContract } from "../contracts/locks_contract.ts";
import { freshSchema, hasPostgres, testPostgres } from "../support/postgres.ts";
import { eventually } from "../support/waiting.ts";

/** A node that beats, with its locks. */
interface Node extends AsyncDisposable {
  readonly locks: PostgresLocks;
  readonly state: PostgresState;
  readonly membership: Membership;
  readonly lapses: number[];
}

async function makeNode(name: string, schema: string): Promise<Node> {
  const { password, url } = { password: testPostgres().password, url: testPostgres().url(schema) };
  const state = await PostgresState.open({ url, password, node: name });
  const lapses: number[] = [];
  const membership: Membership = await Membership.join({
    database: state.database,
    name,
    version: "1",
    figures: () => ({ figures: {}, differs: [] }),
    beaten: () => {},
    lapsed: async (before) => {
      lapses.push(before);
      await locks.revive(before);
    },
    displaced: () => {},
  });
  const locks = new PostgresLocks({
    database: state.database,
    node: () => membership,
    record: () => ({ messages: 1, octets: 2, deleted: 3 }),
    onTrouble: () => {},
    onRecovery: () => {},
  });
  return {
    ...{ locks, state, membership, lapses },
    async [Symbol.asyncDispose](): Promise<void> {
      await membership.leave();
      await state[Symbol.asyncDispose]();
    },
  };
}

locksContract("locks in PostgreSQL", async () => {
  const node = await makeNode("one", freshSchema());
  return { locks: node.locks, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}, { ignore: !hasPostgres });

const client = { address: "192.0.2.7", tls: undefined, mechanism: "USER" };
const one = { sessions: 1, client };

function test(name: string, body: (schema: string) => Promise<void>): void {
  Deno.test({
    name: `locks in PostgreSQL ${name}`,
    ignore: !hasPostgres,
    fn: () => body(freshSchema()),
  });
}

/** Makes a node's last beat older, as if it had stood still. */
function silence(schema: string, node: string): void {
  testPostgres().sql(
    `UPDATE ${schema}.node SET seen = now() - interval '11 s' WHERE name = '${node}'`,
  );
}

test("are those of all nodes", async (schema) => {
  await using a = await makeNode("a", schema);
  await using b = await makeNode("b", schema);
  const lease = await a.locks.take("ann", "s-1", one);
  assertEquals(await b.locks.take("ann", "t-1", one), undefined);
  assertEquals(await b.locks.holders("ann"), 1);
  const waiting = b.locks.take("ann", "t-1", { ...one, wait: 600_000 });
  await lease?.release("quit");
  assert(await waiting);
  const rows = testPostgres().sql(
    `SELECT session, node, name, messages, octets, deleted, ending FROM ${schema}.access`,
  );
  assertEquals(rows, "s-1|a|ann|1|2|3|quit");
});

test("of a dead node are taken over by one of many, and leave one record that says so", async (schema) => {
  await using a = await makeNode("a", schema);
  await using b = await makeNode("b", schema);
  const lease = await a.locks.take("ann", "s-1", one);
  let lost = 0;
  lease?.onLost(() => lost++);
  clearBeats(a);
  silence(schema, "a");
  const takers = Array.from({ length: 20 }, (_, n) => b.locks.take("ann", `t-${n + 1}`, one));
  const taken = (await Promise.all(takers)).filter((each) => each !== undefined);
  assertEquals(taken.length, 1);
  assertEquals(await lease?.claim(), 0);
  assertEquals(lost, 1);
  await lease?.release("quit");
  const rows = testPostgres().sql(`SELECT session, ending FROM ${schema}.access`);
  assertEquals(rows, "s-1|crashed");
  assertEquals(await b.locks.holders("ann"), 1);
});

test("are not taken over while QUIT is at work in their name", async (schema) => {
  await using a = await makeNode("a", schema);
  await using b = await makeNode("b", schema);
  const lease = await a.locks.take("ann", "s-1", one);
  const held = await lease!.claim();
  assert(held > 5000 && held <= 8000, `${held}`);
  clearBeats(a);
  silence(schema, "a");
  assertEquals(await b.locks.take("ann", "t-1", one), undefined);
  testPostgres().sql(`UPDATE ${schema}.lease SET busy_until = now() - interval '1 s'`);
  assert(await b.locks.take("ann", "t-1", one));
});

test("of a node that was taken for dead are revived, but for those that others took", async (schema) => {
  await using a = await makeNode("a", schema);
  await using b = await makeNode("b", schema);
  const ann = (await a.locks.take("ann", "s-1", one))!;
  const bob = (await a.locks.take("bob", "s-2", one))!;
  const lost: string[] = [];
  ann.onLost(() => lost.push("ann"));
  bob.onLost(() => lost.push("bob"));
  silence(schema, "a");
  // A beat may come in between, and lapse: then nothing of it is there to be taken.
  const taken = await b.locks.take("ann", "t-1", one);
  await eventually("the epoch lapsing", () => a.lapses.length > 0);
  await eventually("the lost lease being told", () => lost.length > 0 || taken === undefined);
  assertEquals(lost, taken === undefined ? [] : ["ann"]);
  assert(await bob.claim() > 0);
  assertEquals(await b.locks.take("bob", "t-2", one), undefined);
  assertEquals(a.membership.epoch, 2);
});

test("of a name that is in use are refused to a second node of it", async (schema) => {
  await using _a = await makeNode("a", schema);
  const started = performance.now();
  const error = await makeNode("a", schema).then(() => undefined, (error) => error);
  assertEquals(error?.trouble, "held");
  assert(/--node/.test(error.message), error.message);
  assert(performance.now() - started >= 10_000);
});

/** Lets a node beat no more. */
function clearBeats(node: Node): void {
  node.membership.beat = () => new Promise(() => {});
}
