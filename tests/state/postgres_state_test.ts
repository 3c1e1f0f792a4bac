// The state in PostgreSQL does what every state store must.

import { PostgresState } from "../../lib/state/postgres/postgres_state.ts";
import { stateStoreContract } from "../contracts/state_store_contract.ts";
import { freshSchema, hasPostgres, testPostgres } from "../support/postgres.ts";

stateStoreContract("state in PostgreSQL", () => {
  const postgres = testPostgres();
  return PostgresState.open({
    url: postgres.url(freshSchema()),
    password: postgres.password,
    node: "one",
  });
}, { isShared: true, ignore: !hasPostgres });
