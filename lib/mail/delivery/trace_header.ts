/** The header lines that a delivery puts in front of a message: Return-Path (RFC 5321, section 4.4) and Delivered-To. */

/** What is known of a delivery. */
export interface Trace {
  /** The envelope's sender; empty for a bounce; undefined where it is not known. */
  readonly from: string | undefined;
  /** Whom the message is delivered to. */
  readonly to: string;
}

const LINE_BREAKS = /[\r\n\0]/g;

/**
 * Makes the lines, with LF at their ends.
 *
 * @param start the message's beginning: what stands there already is not said again
 */
export function traceHeader({ from, to }: Trace, start: string = ""): string {
  const header = start.split(/\r?\n\r?\n/, 1)[0]!;
  const lines: string[] = [];
  if (from !== undefined && !/^Return-Path:/im.test(header)) {
    lines.push(`Return-Path: <${from.replaceAll(LINE_BREAKS, "")}>`);
  }
  const named = [...header.matchAll(/^Delivered-To:[ \t]*(\S+)/gim)].map((match) => match[1]);
  if (!named.includes(to)) lines.push(`Delivered-To: ${to.replaceAll(LINE_BREAKS, "")}`);
  return lines.map((line) => `${line}\n`).join("");
}
