/**
 * Tasks (extension of the modern era): a tool call may answer with a task, which is asked for later by its id.
 * The id a client gets is sealed: it leads to the backend, and is worth nothing to anybody else.
 */
import { SentinelError } from "../../contract/mod.ts";
import type { LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { TASKS } from "../mcp/extensions.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";

/** How long an id can be used when the backend names no time. */
const KEEP_MS = 24 * 3_600_000;
/** However long a backend wants to keep a task. */
const MAX_KEEP_MS = 30 * KEEP_MS;
const SEPARATOR = ":";

/** What a sealed id leads to. */
export interface TaskPlace {
  /** Exposed name of the tool whose call began it. */
  readonly tool: string;
  /** The backend's own id. */
  readonly id: string;
}

/** True when a backend of the caller's era may answer a call of it with a task. */
export function takesTasks({ era, capabilities }: Pick<Caller, "era" | "capabilities">): boolean {
  const { extensions } = capabilities;
  return era === "modern" && isObject(extensions) && isObject(extensions[TASKS]);
}

/** @throws SentinelError INVALID_PARAMS, the same for whatever is wrong with the id */
export async function openTask(call: Call, sealed: unknown): Promise<TaskPlace> {
  if (typeof sealed !== "string") throw unknownTask();
  const place = await call.world.bridge.states.open(sealed, boundTo(call.caller))
    .catch(() => undefined);
  const [tool = "", id = ""] = place?.split(SEPARATOR) ?? [];
  if (id === "") throw unknownTask();
  return { tool: decodeURIComponent(tool), id: decodeURIComponent(id) };
}

/**
 * The answer that began a task, with an id for this client.
 * @throws SentinelError BACKEND_PROTOCOL
 */
export async function beganTask(
  call: Call,
  reply: LinkReply & { readonly result: string },
): Promise<LinkReply> {
  const { backend, exposed } = call.target as Target;
  const result = parse(reply.result) as JsonObject;
  const { taskId, ttlMs } = result;
  if (typeof taskId !== "string" || taskId === "") {
    throw new SentinelError(
      "BACKEND_PROTOCOL",
      `Cannot finish the call: backend "${backend}" began a task without an id`,
      { backend, reason: '"taskId" is not a string', executed: "unknown" },
    );
  }
  const place = [exposed, taskId].map(encodeURIComponent).join(SEPARATOR);
  const keepMs = typeof ttlMs === "number" && ttlMs > 0 ? Math.min(ttlMs, MAX_KEEP_MS) : KEEP_MS;
  const sealed = await call.world.bridge.states.seal(place, boundTo(call.caller), keepMs);
  return { ...reply, result: JSON.stringify({ ...result, taskId: sealed }) };
}

/** What a backend says of a task, under the id that the client knows. */
export function toldOfTask(call: Call, reply: LinkReply): LinkReply {
  if ("error" in reply) return reply;
  const result = parse(reply.result) as JsonObject;
  if (result["taskId"] === undefined) return reply;
  return { ...reply, result: JSON.stringify({ ...result, taskId: call.given["taskId"] }) };
}

function boundTo({ principal, toolset }: Caller): string {
  return JSON.stringify(["task", principal.id, toolset ?? null]);
}

/** One answer for all of them: nobody learns from it whose task it is. */
function unknownTask(): SentinelError {
  return new SentinelError("INVALID_PARAMS", "Unknown task", { executed: "no" });
}
