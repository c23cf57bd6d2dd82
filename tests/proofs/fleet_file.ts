/** The configuration that a storm of reloads changes step by step. */
import { join } from "node:path";
import { executable, REPOSITORY } from "../support/runtime.ts";
import type { Tables } from "./managed_gateway.ts";
import type { NumberedBackend } from "./numbered_backend.ts";

/** Tools that stay through every change; their backends do change. */
export const STAYING = ["steady__echo", "headed__echo", "child__echo", "renewed__echo"] as const;

/** What changes. */
export interface Fleet {
  /** Grows with every change of a header. */
  readonly header: number;
  /** Grows with every change of a command. */
  readonly command: number;
  /** Grows with every change that takes effect in place. */
  readonly adjusted: number;
  /** Name of the backend that is renamed. */
  readonly renamed: string;
  /** Backends that come and go. */
  readonly guests: readonly string[];
}

export const FIRST_FLEET: Fleet = {
  header: 0,
  command: 0,
  adjusted: 0,
  renamed: "renamed-0",
  guests: [],
};

/** Names of all backends, sorted as the inventory is. */
export function namesIn({ renamed, guests }: Fleet): string[] {
  return ["steady", "headed", "child", "renewed", renamed, ...guests].sort();
}

export function tablesOf(fleet: Fleet, backend: NumberedBackend): Tables {
  const { header, command, adjusted, renamed, guests } = fleet;
  const url = backend.urlOf("guest");
  const child = {
    command: executable("node"),
    args: [join(REPOSITORY, "tests/proofs/numbered_child.ts")],
  };
  return {
    reload: { debounce: "20ms" },
    server: { request_timeout: `${60 + adjusted}s` },
    backends: {
      steady: { url: backend.urlOf("steady") },
      headed: { url: backend.urlOf("headed"), headers: { "X-Generation": String(header) } },
      child,
      renewed: {
        command: child.command,
        args: [...child.args, `--generation=${command}`],
        env: { GENERATION: String(command) },
      },
      [renamed]: { url },
      ...Object.fromEntries(guests.map((name) => [name, { url }])),
    },
  };
}
