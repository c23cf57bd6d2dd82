/** Which link a caller uses beside the main one. */
import type { BackendConfig } from "../../contract/mod.ts";
import type { JsonObject } from "../mcp/json.ts";
import type { Caller } from "../session/caller.ts";
import { Session } from "../session/session.ts";
import { declaredCapabilities } from "./declared.ts";
import { isShared } from "./instances.ts";
import type { LinkPool, PoolRequest } from "./link_pool.ts";
import type { WireOpener } from "./wire_opener.ts";

/** What there is to choose from. */
export interface LinkChoices {
  readonly opener: WireOpener;
  readonly pool: LinkPool;
  readonly instances: BackendConfig["instances"];
}

/**
 * The link that shares nothing with others that would have to be told apart.
 * @throws SentinelError OVERLOADED when a caller without a session uses all it may have
 */
export function linkChoice(caller: Caller, { opener, pool, instances }: LinkChoices): PoolRequest {
  const { capabilities, declared, isAskable } = declaredBy(caller.capabilities);
  const alone = !isShared(instances) || (!opener.mayShare && isAskable);
  if (instances === "per-user") {
    return { key: `user ${caller.principal.id} ${declared}`, capabilities, owner: undefined };
  }
  if (alone && caller instanceof Session) {
    return { key: `session ${caller.id}`, capabilities, owner: caller };
  }
  if (!alone) {
    const key = typeof instances === "number" ? pool.leastBusy(declared, instances) : declared;
    return { key, capabilities, owner: undefined };
  }
  const key = pool.vacant(`principal ${caller.principal.id} ${declared}`, caller);
  return { key, capabilities, owner: undefined };
}

interface Declared {
  readonly capabilities: JsonObject;
  /** JSON text of them. */
  readonly declared: string;
  readonly isAskable: boolean;
}

/** A client declares what it can once, and calls often. */
const KNOWN = new WeakMap<JsonObject, Declared>();

function declaredBy(client: JsonObject): Declared {
  const known = KNOWN.get(client);
  if (known !== undefined) return known;
  const capabilities = declaredCapabilities(client);
  const isAskable = Object.keys(capabilities).length > 0;
  const found = { capabilities, declared: JSON.stringify(capabilities), isAskable };
  KNOWN.set(client, found);
  return found;
}
