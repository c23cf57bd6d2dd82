/**
 * How a running gateway is found by commands of the same user on the same machine: a file
 * `<state folder>/gateways/<id>.json`, readable by its owner only, removed at the end.
 */
import * as v from "valibot";

const LocalGatewaySchema = v.object({
  /** `server.name`. */
  name: v.string(),
  pid: v.pipe(v.number(), v.integer(), v.minValue(2)),
  /**
   * Kernel start time of the process, and the boot and pid namespace it belongs to, where they can be known:
   * pids are used again, all three together never.
   */
  start: v.exactOptional(v.string()),
  machine: v.exactOptional(v.string()),
  /** ISO 8601. */
  startedAt: v.string(),
  /** Base URL of the management API, such as `http://127.0.0.1:8809`. */
  management: v.pipe(v.string(), v.url()),
  /** Scope `admin`; made anew at each start. */
  token: v.pipe(v.string(), v.minLength(32)),
  /** URL for MCP clients. */
  endpoint: v.exactOptional(v.string()),
  /** Configuration file. */
  config: v.exactOptional(v.string()),
});
export type LocalGateway = v.InferOutput<typeof LocalGatewaySchema>;

/** The record in the text of such a file; undefined for anything else. */
export function parseLocalGateway(text: string): LocalGateway | undefined {
  try {
    const parsed = v.safeParse(LocalGatewaySchema, JSON.parse(text));
    return parsed.success ? parsed.output : undefined;
  } catch {
    return undefined; // cut off, or not ours
  }
}
