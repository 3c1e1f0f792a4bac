/** What a macro benchmark is, and what it tells. */

/** What a figure should be: at least, or at most, so much. */
export type Target = { readonly atLeast: number } | { readonly atMost: number };

/** One thing measured. */
export interface Figure {
  readonly what: string;
  readonly measured: number;
  /** As `MB`, `µs`, `×` for a ratio. */
  readonly unit: string;
  readonly target?: Target;
}

/** Where a scenario leaves what it finds. */
export interface Notebook {
  /** Progress, for the person who waits. */
  say(text: string): void;
  /** Notes a figure. */
  figure(what: string, measured: number, unit: string, target?: Target): void;
}

/** A benchmark of the real program, measured from outside. */
export interface Scenario {
  /** As the command line names it. */
  readonly name: string;
  /** One line. */
  readonly about: string;
  run(notebook: Notebook): Promise<void>;
}

/** Whether a figure is as asked; undefined where nothing is asked. */
export function met({ measured, target }: Figure): boolean | undefined {
  if (target === undefined) return undefined;
  return "atLeast" in target ? measured >= target.atLeast : measured <= target.atMost;
}
