import type { Actor, Operation } from "../contract/operations.ts";

/** One line of the journal: what operators did, and who was turned away. */
export type JournalEntry =
  /** Written before an operation takes effect. */
  | {
    readonly kind: "operation.intent";
    readonly at: string;
    readonly operation: Pick<
      Operation,
      "id" | "operation" | "target" | "reason" | "actor" | "before"
    >;
  }
  /** Written when it is over; exactly one for each intent. */
  | { readonly kind: "operation.outcome"; readonly at: string; readonly operation: Operation }
  /** A request to the management API that was turned away. Never the token that came with it. */
  | {
    readonly kind: "refusal";
    readonly at: string;
    readonly request: string;
    readonly code: string;
    readonly why: string;
    readonly method: string;
    readonly path: string;
    readonly actor: Actor;
  };

/** Append-only record on this machine. */
export interface Journal {
  /** In the file when this returns. @throws when it cannot be written */
  append(entry: JournalEntry): void;
  close(): void;
}
