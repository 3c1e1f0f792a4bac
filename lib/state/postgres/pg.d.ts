// Types for what we use of pg, whose npm package carries JavaScript alone.

/** What came of a statement. */
export interface Result {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  /** How many rows were read or changed; null for statements without rows. */
  readonly rowCount: number | null;
}

/** How TLS is spoken; as `node:tls` takes it. */
export interface TlsOptions {
  readonly rejectUnauthorized: boolean;
  readonly servername?: string;
  readonly ca?: string;
}

/** How a {@linkcode Client} connects; what is left out would be looked for in PG* variables. */
export interface ClientOptions {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: () => string;
  readonly database: string;
  readonly ssl: TlsOptions | false;
  /** Milliseconds. */
  readonly connectionTimeoutMillis: number;
  readonly query_timeout: number;
  readonly keepAlive: boolean;
  readonly application_name: string;
}

/** One connection. */
export class Client {
  constructor(options: ClientOptions);
  connect(): Promise<void>;
  query(text: string, values: readonly unknown[]): Promise<Result>;
  end(): Promise<void>;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "end", listener: () => void): this;
  on(event: "notification", listener: () => void): this;
  readonly connection: { readonly stream: { destroy(): void } };
}

declare const pg: { readonly Client: typeof Client };
export default pg;
