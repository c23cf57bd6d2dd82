/** How much the process is under, as its host measures it. */
export interface Pressure {
  /** Mean delay of the event loop over the last second, in milliseconds. */
  readonly lagMs: number;
  /** Memory in use, in bytes. */
  readonly memoryBytes: number;
  /** What the container allows, in bytes; undefined where there is no such limit. */
  readonly memoryLimit: number | undefined;
}
