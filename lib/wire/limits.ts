/** Every limit of the dialogues' lines and buffers, each with its reason. */

/** Octets of a command line with its line end (RFC 2449, section 4). */
export const COMMAND_LINE_OCTETS = 255;

/** Octets of a SASL continuation line: what a 9 KB token needs as base64 (RFC 4954, section 4, names the same figure). */
export const SASL_LINE_OCTETS = 12_288;

/** Octets of a line that an administrator sends (msmp.md, version 2). */
export const MANAGEMENT_LINE_OCTETS = 4096;

/** Management connections at once: more than any team needs, and too few to cost anything. The others wait in the backlog. */
export const MANAGEMENT_CONNECTIONS = 64;

/** Management connections without a login that may be open beyond these for a moment, while silent ones give way. */
export const MANAGEMENT_RESERVE = 4000;

/** Octets of an answer's first line with its CRLF (RFC 2449, section 4). */
export const RESPONSE_LINE_OCTETS = 512;

/** What a pending read may bring while nothing is pipelined: two command lines. 10 000 idle sessions hold 5 MB so. */
export const IDLE_READ_OCTETS = 512;

/** What a read may bring while a client pipelines: a thousand short commands. */
export const BUSY_READ_OCTETS = 8192;

/** How long, in milliseconds, a client that fills every read is served before the other sessions of its thread have their turn. */
export const TURN_MS = 1;

/** Answers wait for one another up to this many octets while more commands are waiting; all a client that reads nothing can hold. */
export const OUTPUT_OCTETS = 65_536;

/** Stored octets of a message that may join other answers in one write. */
export const SMALL_MESSAGE_OCTETS = 24_576;

/** Milliseconds after which a command that is still at work also watches for the client going away. */
export const HANG_UP_WATCH_MS = 20;

/** How long, in milliseconds, a connection that somebody else ends waits for its last answer to be taken. */
export const FAREWELL_MS = 1000;

/** How long, in milliseconds, and for how many octets a connection that we end listens on, so that its last answer arrives. */
export const LINGER_MS = 1000;
export const LINGER_OCTETS = 1_048_576;
