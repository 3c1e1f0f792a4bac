/** Who ends what a transformer started: a seam, because a thread that may run one program only cannot signal a process group. */

/** Ends programs together with everything that they forked. */
export interface ProcessGroups {
  /** Notes that a program was started as leader of a process group of its own. */
  started(pid: number): void;
  /**
   * Ends what is left of a group: SIGTERM, and SIGKILL after a short grace. Does nothing for a group that was not told of, or has
   * ended already.
   *
   * @returns settles when the group is gone or was sent SIGKILL
   */
  end(pid: number): Promise<void>;
}
