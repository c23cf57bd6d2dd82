import type { FrontName } from "./caller.ts";

/** How a front's bytes travel, in the words of the semantic conventions. */
export function networkTransport(front: FrontName): "pipe" | "tcp" {
  return front === "stdio" ? "pipe" : "tcp";
}
