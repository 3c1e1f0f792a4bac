/** A state's content as plain rows, the same wherever it is kept: what a copy is made of, and compared by. */

/** A value: octets are hexadecimal, times are milliseconds since 1970, yes and no are 1 and 0. */
export type Value = string | number | null;

/** A row, by column. */
export type Row = Readonly<Record<string, Value>>;

/** The tables of a state, each in the order of its keys. */
export interface StateRows {
  /** `secret`, `sessions`, `revision`, and `running` where it was ever kept. */
  readonly installation: readonly Row[];
  readonly accounts: readonly Row[];
  readonly appPasswords: readonly Row[];
  readonly flags: readonly Row[];
  readonly learnedKeys: readonly Row[];
  readonly settings: readonly Row[];
  readonly userFields: readonly Row[];
  readonly accesses: readonly Row[];
  /** Sums; of peaks, the highest. */
  readonly counters: readonly Row[];
}

/** A place that a state is copied from or to. */
export interface RowPlace extends AsyncDisposable {
  /** For people. */
  readonly name: string;
  /** @throws {StateStoreError} */
  read(): Promise<StateRows>;
  /** Writes all rows into a state without users, as one transaction. @throws {StateStoreError} when it has any, or cannot be written */
  write(rows: StateRows): Promise<void>;
}

/** Sorts rows by some columns, by their octets. */
export function sorted(rows: readonly Row[], ...columns: readonly string[]): readonly Row[] {
  const key = (row: Row): string => columns.map((column) => String(row[column])).join("\0");
  return rows.map((row) => ({ row, key: key(row) }))
    .sort((one, other) => one.key < other.key ? -1 : one.key > other.key ? 1 : 0)
    .map(({ row }) => row);
}
