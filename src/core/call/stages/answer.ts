/** `answer`: what the gateway knows itself. */
import { SentinelError } from "../../../contract/mod.ts";
import { ownResult } from "../../bridge/fields_own.ts";
import type { ItemKind } from "../../catalog/types.ts";
import { MODERN_REVISIONS } from "../../mcp/envelope.ts";
import type { Shown } from "../../rules/interceptors.ts";
import { type Call, type Outcome, sessionOf, type Stage } from "../call.ts";

const EMPTY: Outcome = { kind: "result", result: "{}" };
/** How soon a list is worth asking for again while no backend has answered. */
const RETRY_MS = 2000;

/** What a modern client asks first, if it asks at all: what there is here, and in which revisions. */
export function answerDiscover(call: Call): Outcome {
  const { view, world } = call;
  const { ttlMs, scope } = view.cache;
  const about = {
    supportedVersions: MODERN_REVISIONS,
    capabilities: view.modernCapabilities,
    ...(view.instructions === undefined ? {} : { instructions: view.instructions }),
    ttlMs,
    cacheScope: world.interceptors.looksAtLists ? "private" : scope,
  };
  return { kind: "result", result: ownResult(call, about) };
}

export function answerPing(): Outcome {
  return EMPTY;
}

/**
 * A page of the merged catalog. Never an empty success that means "nothing has answered yet".
 */
export function answerList(kind: ItemKind): Stage {
  return (call) => {
    if (!call.view.answered) throw noBackendReady(call);
    const { cursor } = call.params;
    if (cursor !== undefined && typeof cursor !== "string") {
      throw new SentinelError("INVALID_PARAMS", 'Cannot list: "cursor" is not a string');
    }
    const { interceptors } = call.world;
    const page = (shows?: Shown): Outcome => ({
      kind: "result",
      result: call.view.list(kind, { cursor, era: call.caller.era, shows }),
    });
    if (!interceptors.looksAtLists) return page();
    const shown = interceptors.listed(call, call.view.targets(kind));
    return shown instanceof Promise ? shown.then(page) : page(shown);
  };
}

export function answerSetLevel(call: Call): Outcome {
  const { level } = call.params;
  if (typeof level !== "string" || !sessionOf(call).setLogLevel(level)) {
    throw new SentinelError(
      "INVALID_PARAMS",
      'Cannot set the log level: "level" is none of the eight syslog levels',
    );
  }
  for (const name of call.view.backends) call.world.backends.get(name)?.logLevelChanged();
  return EMPTY;
}

function noBackendReady(call: Call): SentinelError {
  const states = call.view.backends.map((name) =>
    `${name}: ${call.world.backends.get(name)?.state ?? "unknown"}`
  );
  return new SentinelError("NO_BACKEND_READY", "Cannot list: no backend has answered yet", {
    reason: states.join(", ").slice(0, 1000),
    retryAfterMs: RETRY_MS,
  });
}
