/** Where the frames of one stream come from. */
export interface Source {
  /** Frames that can be sent now; undefined when there is nothing. */
  next(): Promise<string | undefined>;
  /** Something waits to be read. */
  readonly isWaiting: boolean;
  /** Events that were given up because nobody read them. */
  readonly lost: number;
  /** No more will come; what `next` still gives is all. */
  readonly isOver: boolean;
  /** Sign of life while nothing happens. */
  beat(): string;
  /** Calls `look` when something may have come. Called once. */
  watch(look: () => void): void;
  /** Frees everything. Calling it twice is harmless. */
  close(): void;
}

/** Text of a frame; JSON has no line breaks, so that its data is one line. */
export function frame(event: string, data: unknown, id?: string): string {
  const head = id === undefined ? "" : `id: ${id}\n`;
  return `${head}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
