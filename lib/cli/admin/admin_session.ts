/** The admin client's connection, made when it is needed and anew when it was lost. */

import { LoginRefusedError, NoConnectionError } from "../../msmp_client/errors.ts";
import { splitLine } from "../../msmp/protocol.ts";
import { type Answer, MsmpClient, type MsmpClientOptions } from "../../msmp_client/msmp_client.ts";

/** One server, spoken to over one connection at a time. */
export class AdminSession implements AsyncDisposable {
  readonly #options: MsmpClientOptions;
  #client: MsmpClient | undefined;
  /** Wrong passwords have a price, so they are not tried again by themselves. */
  #refusal: LoginRefusedError | undefined;

  constructor(options: MsmpClientOptions) {
    this.#options = options;
  }

  /**
   * The client, connected and logged in. Idle connections are closed by the server; nobody needs to notice.
   *
   * @throws {NoConnectionError} when there is no server
   * @throws {RefusedError} when the login is refused
   */
  async client(): Promise<MsmpClient> {
    if (this.#client?.ended) this.drop();
    if (this.#refusal !== undefined) throw this.#refusal;
    try {
      this.#client ??= await MsmpClient.connect(this.#options);
    } catch (error) {
      if (error instanceof LoginRefusedError) this.#refusal = error;
      throw error;
    }
    return this.#client;
  }

  /**
   * Says a command. When the connection turns out to be lost, what only reads is said once more over a new one; anything else is
   * not, for it may have been done.
   *
   * @throws {NoConnectionError} when the connection is lost before the answer
   */
  async request(line: (version: 1 | 2) => string): Promise<Answer> {
    const isFresh = this.#client === undefined;
    const client = await this.client();
    const said = line(client.version);
    try {
      return await client.request(said);
    } catch (error) {
      // Who dropped the connection wants no answer any more.
      const isOurs = this.#client !== client;
      this.drop();
      if (!(error instanceof NoConnectionError)) throw error;
      if (splitLine(said)?.command.reads && !isFresh && !isOurs) return await this.request(line);
      throw new NoConnectionError(
        `${error.message} before it answered; what was asked for may have been done`,
        { cause: error },
      );
    }
  }

  /** Forgets the connection; the next command makes another. */
  drop(): void {
    this.#client?.[Symbol.dispose]();
    this.#client = undefined;
  }

  /** Says QUIT where there is a connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client?.quit();
    this.#client = undefined;
  }
}
