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
  /** Set when it was ended because it, with its group, used more than it may. */
  readonly exceeded?: Exceeded;
}

/** A limit that was passed; both figures in bytes. */
export interface Exceeded {
  readonly limit: "memory";
  readonly used: number;
  readonly most: number;
}

/** Bounds of one child; the host keeps to those it can. */
export interface ChildLimits {
  /** Bytes of memory of the whole process group, looked at every second. */
  readonly memory?: number;
  /** Descriptors that each process may have open. */
  readonly descriptors?: number;
  /** Processes and threads that the user may have while the child, or one of its own, starts another. */
  readonly processes?: number;
}

export interface Child extends ByteLink {
  readonly pid: number | undefined;
  /**
   * Resolves once, when the process has ended (or could not start); after SIGTERM when the rest of its
   * group has ended too, or SIGKILL was sent. Never rejects.
   */
  readonly exited: Promise<ChildExit>;
  /** Signals the whole process group; one that made itself a group of its own is out of reach. */
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
  readonly limits?: ChildLimits;
}

/** Starts children in their own process group, behind an orphan-proof launcher where there is one. */
export interface Spawner {
  /** Never throws: a failed start is an `exited` with `failure`. */
  spawn(options: SpawnOptions): Child;
  /** Variables of the gateway's own environment, for `inherit_env`. */
  inherited(name: string): string | undefined;
}
