/** Waits for a time: the standard library's `delay`, with types. */

// @ts-types="./std_delay.d.ts"
export { delay } from "@std/async/delay";
