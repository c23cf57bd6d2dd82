/** Where a resumable stream comes from and how far it got. */
export interface StoredEvent {
  /** Number of the event within its stream, from 1. */
  readonly sequence: number;
  readonly data: string;
}

/** Keeps the events of resumable streams within bounds; memory now, shared stores later. */
export interface EventStore {
  /** Stores one event and gives its number. The oldest beyond the bound are dropped. */
  append(stream: string, data: string): number;
  /** Events after `sequence`, oldest first; undefined when the stream is unknown or events are gone. */
  after(stream: string, sequence: number): readonly StoredEvent[] | undefined;
  /** Nothing more will come on the stream. */
  end?(stream: string): void;
  /** Forgets the stream at once. */
  drop(stream: string): void;
  /** Forgets events older than the store keeps them. */
  sweep(): void;
}
