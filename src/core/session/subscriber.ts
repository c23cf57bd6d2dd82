import type { Caller } from "./caller.ts";
import type { JsonObject } from "../mcp/json.ts";

/** Who is told of updated resources: a legacy session, or a listen of a modern client. */
export interface Subscriber extends Pick<Caller, "principal" | "toolset"> {
  /** Tells it; what nobody reads any more is dropped. */
  tell(method: string, params: JsonObject): void;
}
