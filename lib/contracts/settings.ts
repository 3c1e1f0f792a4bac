/** Every setting of the server, by name, with its unit: what flags, environment, config file and SET decide together. */

/** What session workers are told: nothing that is secret, and nothing that they do not need. Durations are seconds; 0 means off. */
export interface SessionSettings {
  /** In greetings and log lines. */
  readonly serverName: string;
  /** The greeting's text; undefined means one with the server's name. */
  readonly greeting: string | undefined;
  readonly greetingStyle: "plain" | "friendly";
  /** The domain of names without `@`, or undefined. */
  readonly defaultDomain: string | undefined;
  readonly requireTls: boolean;
  /** Networks from which a login in clear is allowed; undefined means everywhere. */
  readonly cleartextNetworks: readonly string[] | undefined;
  /** Networks whose connections begin with a PROXY header. */
  readonly proxyProtocol: readonly string[];
  readonly apop: boolean;
  readonly enableLast: boolean;
  readonly noFlagUpdates: boolean;
  readonly transformerFailure: "reject" | "bypass";
  readonly maildir: string;
  /** Where mailboxes lie, or undefined for the usual rule. */
  readonly mailbox: string | undefined;
  /** Folders besides `maildir` below which mailboxes may lie. */
  readonly homes: readonly string[];
  /** Octets of mail that a user may have; 0 for no limit. */
  readonly quota: number;
  /** Days that deleted messages are kept; 0 for none. */
  readonly trash: number;
  readonly deletes: "allow" | "refuse" | "keep";
  /** Whether each message that is removed is logged. */
  readonly logDeletes: boolean;
  /** Whose files are that the server makes: `keep`, or `UID:GID`. */
  readonly ids: string;
  readonly names: "exact" | "lower";
  /** Ends the part of a name that counts; undefined for none. */
  readonly recipientDelimiter: string | undefined;
  /** A command line, or `none`. */
  readonly transformer: string;
  readonly transformerTimeout: number;
  readonly timeout: number;
  readonly loginTimeout: number;
  readonly maxMessages: number;
  readonly maxBadCommands: number;
  readonly loginDelay: number;
  /** Days. */
  readonly expire: number;
  readonly logLevel: "trace" | "debug" | "info" | "warning" | "error";
  readonly maxConnections: number;
  /** Undefined means a share of `maxConnections`: see `connectionsPerAddress`. */
  readonly maxConnectionsPerIp: number | undefined;
}

/** All settings. Durations are seconds unless said otherwise; 0 means off. */
export interface Settings extends SessionSettings {
  /** POP3 addresses; empty means all interfaces of both families. */
  readonly listen: readonly string[];
  readonly port: number;
  readonly adminListen: readonly string[];
  readonly adminPort: number;
  /** Addresses for PEEP; empty means that it is off. */
  readonly peepListen: readonly string[];
  readonly peepPort: number;
  /** `NAME:PASS` or `NAME:@FILE`, as given. */
  readonly user: readonly string[];
  readonly admin: readonly string[];
  /** A passwd-file. */
  readonly users: string | undefined;
  /** What stands between a user's name and a folder's, or undefined. */
  readonly folderSeparator: string | undefined;
  /** A URL, `unix:PATH`, or a command line. */
  readonly authHook: string | undefined;
  /** Seconds that a good answer of the hook is remembered; 0 means not at all. */
  readonly authCache: number;
  /** Seconds that the hook may take to answer. */
  readonly authHookTimeout: number;
  /** Whether a `*.pwd` file's name in a user's folder is the password. */
  readonly pwdFiles: boolean;
  readonly allowTransformer: readonly string[];
  readonly tlsCert: readonly string[];
  readonly tlsKey: readonly string[];
  readonly tlsPort: number;
  readonly tlsPfx: string | undefined;
  readonly tlsPass: string | undefined;
  /** The state file, `:memory:`, or a database's URL. */
  readonly state: string;
  /** The password of the database's account, or `@FILE`. */
  readonly statePassword: string | undefined;
  /** This server's name among those that share a database. */
  readonly node: string;
  /** Seconds that a start waits for the database. */
  readonly stateWait: number;
  /** `ADDR:PORT` or `unix:PATH`, or undefined. */
  readonly lmtp: string | undefined;
  /** Networks besides loopback that may deliver by LMTP. */
  readonly lmtpNetworks: readonly string[];
  /** Octets of a message that is delivered; 0 for any number. */
  readonly maxMessageSize: number;
  /** Where backups that administrators ask for are kept; undefined means beside the state file. */
  readonly backupDir: string | undefined;
  readonly workers: number;
  /** `ADDR:PORT`, or undefined. */
  readonly http: string | undefined;
  /** Seconds. */
  readonly grace: number;
  readonly logFormat: "text" | "json" | "auto";
  readonly logFile: string | undefined;
  /** A file with a line of JSON for each session, or undefined. */
  readonly accessLog: string | undefined;
  /** Seconds until an idle management connection ends. */
  readonly adminTimeout: number;
  readonly oauthIssuer: string | undefined;
  readonly oauthAudience: string | undefined;
  /** A file or a URL. */
  readonly oauthJwks: string | undefined;
  readonly oauthUserClaim: string;
  readonly config: string | undefined;
  readonly maxTransformers: number;
  readonly maxSessionsPerUser: number;
  readonly maxUsers: number;
  readonly authDelay: number;
  readonly authDelayMax: number;
  /** Failed logins that ban an address; 0 turns bans off, as it does in the next two. */
  readonly banFailures: number;
  /** Seconds for which a failed login counts. */
  readonly banWindow: number;
  /** Seconds that a ban lasts. */
  readonly banTime: number;
  /** Networks that are never banned by their address. */
  readonly trustedNetworks: readonly string[];
}
