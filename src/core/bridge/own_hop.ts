/** What of a request belongs to the way between client and gateway alone. */
import { META } from "../mcp/envelope.ts";
import { isObject, type JsonObject } from "../mcp/json.ts";
import { type InputRequest, isUrlElicitation } from "./input_required.ts";

/** The parameters for a backend: without the client's envelope, and without the answers to questions. */
export function withoutOwnHop(params: JsonObject): JsonObject {
  const { inputResponses: _responses, requestState: _state, ...rest } = params;
  return withoutEnvelope(rest);
}

/** Vendor keys, trace keys and the progress token stay; a `_meta` with nothing left goes. */
export function withoutEnvelope(params: JsonObject): JsonObject {
  const { _meta: meta, ...rest } = params;
  if (!isObject(meta)) return params;
  const {
    [META.revision]: _revision,
    [META.capabilities]: _capabilities,
    [META.client]: _client,
    [META.logLevel]: _logLevel,
    ...kept
  } = meta;
  return Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
}

/** A question of a legacy backend for a modern client: the backend's progress token means nothing there. */
export function asInputRequest({ method, params }: InputRequest): InputRequest {
  const plain = withoutEnvelope(params);
  const { _meta: meta, ...rest } = plain;
  if (!isObject(meta)) return withoutElicitationId({ method, params: plain });
  const { progressToken: _token, ...kept } = meta;
  const shown = Object.keys(kept).length === 0 ? rest : { ...rest, _meta: kept };
  return withoutElicitationId({ method, params: shown });
}

/** The modern era has no notice that a URL was visited, so nothing to tell visits apart by. */
export function withoutElicitationId({ method, params }: InputRequest): InputRequest {
  if (!isUrlElicitation({ method, params })) return { method, params };
  const { elicitationId: _id, ...rest } = params;
  return { method, params: rest };
}
