/** Reads what follows DATA: undoes dot-stuffing, and finds the end, which is CRLF.CRLF and nothing else (RFC 5321, sections 4.1.1.4 and 4.5.2). */

const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;

/** Where in a line the decoder is. */
type State = "start" | "inside" | "cr" | "dot" | "dot-cr";

/**
 * Decodes a message's data, cut anywhere. CRLF becomes LF, as files have it; a bare CR or LF stays as it is, ends no line, and no dot behind
 * one means anything: what is the end here is the end for every server on the way.
 */
export class DataDecoder {
  #state: State = "start";
  #output = new Uint8Array(0);

  /**
   * Takes the next octets.
   *
   * @returns what they decode to, good until the next call; and how many octets were used where the data ended in them
   */
  push(octets: Uint8Array): { readonly decoded: Uint8Array; readonly end: number | undefined } {
    // Two pending octets of the last piece may come first.
    if (this.#output.length < octets.length + 2) this.#output = new Uint8Array(octets.length + 2);
    const output = this.#output;
    let [state, filled] = [this.#state, 0];
    for (let at = 0; at < octets.length; at++) {
      const octet = octets[at]!;
      switch (state) {
        case "start":
          if (octet === DOT) state = "dot";
          else if (octet === CR) state = "cr";
          else {
            output[filled++] = octet;
            state = "inside";
          }
          break;
        case "inside":
          if (octet === CR) state = "cr";
          else output[filled++] = octet;
          break;
        case "dot-cr":
          if (octet === LF) {
            this.#state = "start";
            return { decoded: output.subarray(0, filled), end: at + 1 };
          }
          // The dot was stuffing, and the CR was bare.
          [state, filled] = afterCr(output, filled, octet);
          break;
        case "cr":
          if (octet === LF) {
            output[filled++] = LF;
            state = "start";
          } else [state, filled] = afterCr(output, filled, octet);
          break;
        case "dot":
          if (octet === CR) state = "dot-cr";
          else {
            output[filled++] = octet;
            state = "inside";
          }
          break;
      }
    }
    this.#state = state;
    return { decoded: output.subarray(0, filled), end: undefined };
  }
}

/** A CR that ended no line. */
function afterCr(output: Uint8Array, filled: number, octet: number): [State, number] {
  output[filled++] = CR;
  if (octet === CR) return ["cr", filled];
  output[filled++] = octet;
  return ["inside", filled];
}
