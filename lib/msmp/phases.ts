/** The phases of a management connection: before login, version 1, version 2. Each owns its data. */

import type { MsmpContext } from "./context.ts";
import type { AuditEntry } from "./services.ts";

/** Before login. */
export class Authorization {
  readonly name = "authorization";
  readonly context: MsmpContext;
  /** The name that USER gave last. */
  user = "";
  /** Failed logins of this connection. */
  failures: number;

  /** @param failures those from before TLS, if there were any */
  constructor(context: MsmpContext, failures = 0) {
    this.context = context;
    this.failures = failures;
  }
}

/** After login. Version 1 is spoken until the client asks for version 2. */
export class Administration {
  readonly name = "administration";
  readonly context: MsmpContext;
  readonly administrator: string;
  readonly version: 1 | 2;

  constructor(context: MsmpContext, administrator: string, version: 1 | 2) {
    this.context = context;
    this.administrator = administrator;
    this.version = version;
  }

  /** Notes a change that this administrator made. */
  audit(entry: Omit<AuditEntry, "administrator" | "address">): void {
    const { audit, address } = this.context.services;
    audit({ administrator: this.administrator, address, ...entry });
  }
}
