/** `resolve`: finds what the call is for in the caller's view. Hidden and unknown are one answer. */
import { SentinelError } from "../../../contract/mod.ts";
import { isObject } from "../../mcp/json.ts";
import type { Call, Outcome } from "../call.ts";

export function resolveTool(call: Call): undefined {
  const name = textParam(call, "name");
  call.target = call.view.tool(name) ?? unknown("tool", name);
}

export function resolvePrompt(call: Call): undefined {
  const name = textParam(call, "name");
  call.target = call.view.prompt(name) ?? unknown("prompt", name);
}

/** Also for (un)subscribing. A URI no list has goes to the backend that last mentioned it to this client. */
export function resolveResource(call: Call): undefined {
  const uri = textParam(call, "uri");
  const producer = call.session.producers.get(uri);
  call.target = call.view.resource(uri, producer) ?? notFound(uri);
}

export function resolveCompletion(call: Call): Outcome | undefined {
  const { ref } = call.params;
  if (!isObject(ref)) {
    throw new SentinelError("INVALID_PARAMS", 'Cannot complete: "ref" is not an object');
  }
  if (ref["type"] === "ref/prompt" && typeof ref["name"] === "string") {
    call.target = call.view.prompt(ref["name"]) ?? unknown("prompt", ref["name"]);
  } else if (ref["type"] === "ref/resource" && typeof ref["uri"] === "string") {
    const { uri } = ref;
    call.target = call.view.template(uri) ?? call.view.resource(uri) ?? notFound(uri);
  } else {throw new SentinelError(
      "INVALID_PARAMS",
      'Cannot complete: "ref" names neither a prompt nor a resource',
    );}
  return undefined;
}

function textParam(call: Call, key: string): string {
  const value = call.params[key];
  if (typeof value === "string") return value;
  throw new SentinelError(
    "INVALID_PARAMS",
    `Cannot read the parameters of "${call.method}": "${key}" is not a string`,
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
