/** `resolve`: finds what the call is for in the caller's view. Hidden and unknown are one answer. */
import { SentinelError } from "../../../contract/mod.ts";
import { heldError } from "../../catalog/pins.ts";
import type { Target } from "../../catalog/types.ts";
import { openTask } from "../../bridge/tasks.ts";
import { isObject } from "../../mcp/json.ts";
import type { Call } from "../call.ts";

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
  const taken = take(call, target ?? held, () => unknown(kind, name));
  if (held === undefined) return taken;
  if (taken !== undefined) return taken.then(() => refuseHeld(held));
  return refuseHeld(held);
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

function unknown(kind: string, name: string): never {
  throw new SentinelError("INVALID_PARAMS", `Unknown ${kind}: ${name.slice(0, 200)}`);
}

function notFound(uri: string): never {
  throw new SentinelError("RESOURCE_NOT_FOUND", `Resource not found: ${uri.slice(0, 200)}`, {
    more: { uri: uri.slice(0, 1000) },
  });
}
