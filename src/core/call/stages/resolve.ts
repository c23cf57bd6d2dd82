/** `resolve`: finds what the call is for in the caller's view. Hidden and unknown are one answer. */
import { type BackendState, SentinelError } from "../../../contract/mod.ts";
import { heldError } from "../../catalog/pins.ts";
import type { Target } from "../../catalog/types.ts";
import { openTask } from "../../bridge/tasks.ts";
import { isObject } from "../../mcp/json.ts";
import type { Call } from "../call.ts";

/** How soon a call to a backend that is being started is worth another try. */
const RETRY_MS = 1000;
/** The others have been given up, or are on their way out. */
const COMING: ReadonlySet<BackendState | undefined> = new Set([
  "starting",
  "backoff",
  "ready",
  "degraded",
]);

/** A promise only when an interceptor takes its time to say what is shown. */
type Resolved = undefined | Promise<undefined>;

export function resolveTool(call: Call): Resolved {
  return takeNamed(call, "tool", textParam(call, "name"));
}

export function resolvePrompt(call: Call): Resolved {
  return takeNamed(call, "prompt", textParam(call, "name"));
}

/** Also for (un)subscribing. A URI no list has goes to the backend that last mentioned it to this client. */
export function resolveResource(call: Call): Resolved {
  const uri = textParam(call, "uri");
  const producer = call.caller.producers.get(uri);
  return take(call, call.view.resource(uri, producer), () => notFound(uri));
}

export function resolveCompletion(call: Call): Resolved {
  const { ref } = call.params;
  if (!isObject(ref)) {
    throw new SentinelError("INVALID_PARAMS", 'Cannot complete: "ref" is not an object');
  }
  if (ref["type"] === "ref/prompt" && typeof ref["name"] === "string") {
    return takeNamed(call, "prompt", ref["name"]);
  }
  if (ref["type"] === "ref/resource" && typeof ref["uri"] === "string") {
    const { uri } = ref;
    return take(call, call.view.template(uri) ?? call.view.resource(uri), () => notFound(uri));
  }
  throw new SentinelError(
    "INVALID_PARAMS",
    'Cannot complete: "ref" names neither a prompt nor a resource',
  );
}

/** A task is seen by whoever began it, as long as the tool is. */
export async function resolveTask(call: Call): Promise<undefined> {
  const { tool, id } = await openTask(call, call.params["taskId"]);
  call.task = id;
  await takeNamed(call, "tool", tool);
}

function textParam(call: Call, key: string): string {
  const value = call.params[key];
  if (typeof value === "string") return value;
  throw new SentinelError(
    "INVALID_PARAMS",
    `Cannot read the parameters of "${call.method}": "${key}" is not a string`,
  );
}

/** What the caller may see but nobody may use is told apart from what there is not. */
function takeNamed(call: Call, kind: "tool" | "prompt", name: string): Resolved {
  const target = kind === "tool" ? call.view.tool(name) : call.view.prompt(name);
  const held = target === undefined ? call.view.held(kind, name) : undefined;
  if (target === undefined && held === undefined) return missing(call, kind, name);
  const taken = take(call, target ?? held, () => unknown(kind, name));
  if (held === undefined) return taken;
  if (taken !== undefined) return taken.then(() => refuseHeld(held));
  return refuseHeld(held);
}

/** What a backend that never answered may have is not called unknown yet; a name nobody sees always is. */
function missing(call: Call, kind: "tool" | "prompt", name: string): Resolved {
  const { backends, interceptors } = call.world;
  const awaited = call.view.awaited(kind, name)
    .find(({ backend }) => COMING.has(backends.get(backend)?.state));
  if (awaited === undefined) unknown(kind, name);
  const settle = (shown: boolean): never => shown ? notReady(call, awaited) : unknown(kind, name);
  const shown = interceptors.shows(call, awaited);
  return shown instanceof Promise ? shown.then(settle) : settle(shown);
}

/** Takes what a list would show the caller; anything else is as if it were not there. */
function take(call: Call, target: Target | undefined, missing: () => never): Resolved {
  if (target === undefined) return missing();
  const settle = (shown: boolean): undefined => {
    if (!shown) missing();
    call.target = target;
  };
  const shown = call.world.interceptors.shows(call, target);
  return shown instanceof Promise ? shown.then(settle) : settle(shown);
}

function refuseHeld(held: Target): never {
  throw heldError(held);
}

function notReady({ world }: Call, { kind, backend, original, exposed }: Target): never {
  // Without a prefix every backend that is silent may have it: naming one would be a guess.
  const told = original === exposed ? {} : { backend };
  const state = world.backends.get(backend)?.state ?? "unknown";
  throw new SentinelError(
    "NO_BACKEND_READY",
    `Cannot find ${kind} "${exposed.slice(0, 200)}": its backend has not answered yet`,
    { ...told, reason: state, executed: "no", retryAfterMs: RETRY_MS },
  );
}

function unknown(kind: string, name: string): never {
  throw new SentinelError("INVALID_PARAMS", `Unknown ${kind}: ${name.slice(0, 200)}`);
}

function notFound(uri: string): never {
  throw new SentinelError("RESOURCE_NOT_FOUND", `Resource not found: ${uri.slice(0, 200)}`, {
    more: { uri: uri.slice(0, 1000) },
  });
}
