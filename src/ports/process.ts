/** A child's stdin and stdout as lines of bytes; framing is the core's. */
export interface ByteLink {
  /** Chunks of the child's stdout; ends when stdout closes. */
  readonly output: AsyncIterable<Uint8Array>;
  /** Chunks of the child's stderr. */
  readonly errors: AsyncIterable<Uint8Array>;
  /**
   * Writes to stdin. Resolves at once while the pipe takes it, otherwise when it drained.
   * After the child has gone the bytes are lost silently: rely on `exited`.
   */
  write(bytes: string): void | Promise<void>;
  /** Closes stdin. */
  end(): void;
}

export interface ChildExit {
  readonly code?: number;
  readonly signal?: string;
  /** Set when the process could not be started at all. */
  readonly failure?: string;
}

export interface Child extends ByteLink {
  readonly pid: number | undefined;
  /**
   * Resolves once, when the process has ended (or could not start); after SIGTERM when the rest of its
   * group has ended too, or SIGKILL was sent. Never rejects.
   */
  readonly exited: Promise<ChildExit>;
  /** Signals the whole process group. */
  kill(signal: "SIGTERM" | "SIGKILL"): void;
}

export interface SpawnOptions {
  /** The backend's name, for the record of running children. */
  readonly name: string;
  /** Program: a name looked up in PATH, or a path. Never a shell line. */
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the child; nothing is inherited beside it. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** Starts children in their own process group, behind an orphan-proof launcher where there is one. */
export interface Spawner {
  /** Never throws: a failed start is an `exited` with `failure`. */
  spawn(options: SpawnOptions): Child;
  /** Variables of the gateway's own environment, for `inherit_env`. */
  inherited(name: string): string | undefined;
}
