/** Questions of a modern backend to a legacy client: each is a real request, and the call is sent again. */
import { SentinelError } from "../../contract/mod.ts";
import type { Ask, LinkReply } from "../backends/link.ts";
import type { Call } from "../call/call.ts";
import type { Target } from "../catalog/types.ts";
import { isObject, type JsonObject, parse } from "../mcp/json.ts";
import {
  canBeAsked,
  type InputRequest,
  isUrlElicitation,
  readInputRequired,
} from "./input_required.ts";
import { unanswered } from "./unanswered.ts";

/** Between two requests of a backend that wants nothing but to be asked again. */
const PAUSE_MS = 250;

/** Why there is no answer. */
class NoAnswer extends Error {}

/** Sends the call with these parameters. */
export type Send = (params: JsonObject) => Promise<LinkReply>;

/**
 * Asks the client what the backend wants to know, until the backend has its answer.
 * @throws SentinelError BACKEND_PROTOCOL, CLIENT_UNREACHABLE, or what `send` throws
 */
export async function answerRounds(
  call: Call,
  params: JsonObject,
  send: Send,
): Promise<LinkReply> {
  const { rounds } = call.world.config.bridge;
  let reply = await send(params);
  for (let round = 1; isInputRequired(reply); round++) {
    if (round > rounds) throw tooManyRounds(rounds);
    const { requests, state } = readInputRequired(call.method, reply.result);
    const responses = requests.size === 0 ? await pause(call) : await askAll(call, requests);
    if (call.cancelled !== undefined) return reply;
    if (typeof responses === "string") return unanswered(call, responses);
    reply = await send({
      ...params,
      ...(responses === undefined ? {} : { inputResponses: responses }),
      ...(state === undefined ? {} : { requestState: state }),
    });
  }
  return reply;
}

export function isInputRequired(
  reply: LinkReply,
): reply is LinkReply & { readonly result: string } {
  return "result" in reply && reply.type === "input_required";
}

function pause(call: Call): Promise<undefined> {
  return new Promise((resolve) => {
    const cancel = call.world.bridge.clock.after(PAUSE_MS, () => resolve(undefined));
    call.onCancel(() => {
      cancel();
      resolve(undefined);
    });
  });
}

/** All at once; why not, when one of them cannot be answered. */
async function askAll(
  call: Call,
  requests: ReadonlyMap<string, InputRequest>,
): Promise<JsonObject | string> {
  const { bridge, config: { bridge: { answer_timeout: limitMs } } } = call.world;
  const gone = new AbortController();
  const late = `there was no answer within ${limitMs} ms`;
  const stop = bridge.clock.after(limitMs, () => gone.abort(late));
  call.onCancel((reason) => gone.abort(reason));
  call.rounds++;
  try {
    const answers = await Promise.all(
      [...requests].map(async ([key, request]) =>
        [key, await ask(call, request, gone.signal)] as const
      ),
    );
    bridge.count("legacy-to-modern", "answered");
    return Object.fromEntries(answers);
  } catch (cause) {
    const isLate = gone.signal.reason === late;
    bridge.count("legacy-to-modern", isLate ? "expired" : "failed");
    if (isLate) return late;
    if (cause instanceof NoAnswer) return cause.message;
    if (cause instanceof SentinelError && cause.code === "CLIENT_UNREACHABLE") {
      return `it could not be asked: ${cause.details.reason ?? cause.message}`;
    }
    throw cause;
  } finally {
    stop();
    gone.abort("the call does not need it any more");
  }
}

async function ask(call: Call, request: InputRequest, signal: AbortSignal): Promise<JsonObject> {
  const { caller, world } = call;
  if (!canBeAsked(caller, request)) {
    throw new NoAnswer(`it did not declare that it can answer "${request.method}"`);
  }
  const { method, params } = identified(call, request);
  const told = call.trace?.toClient(params) ?? params;
  const question: Ask = { method, params: told, signal, progress: () => {} };
  const { backend } = call.target as Target;
  const reply = await world.interceptors.ask(
    { caller, backend, ask: question },
    (asked) => call.reply.ask(call, asked),
  );
  if ("error" in reply) {
    throw new NoAnswer(`the answer is an error: ${reply.error.message.slice(0, 200)}`);
  }
  const answer = parse(reply.result);
  if (isObject(answer)) return answer;
  throw new NoAnswer("the answer is not an object");
}

/** Legacy clients tell the visit of a URL by an id, which modern backends do not give. */
function identified(call: Call, { method, params }: InputRequest): InputRequest {
  const lacksId = isUrlElicitation({ method, params }) && params["elicitationId"] === undefined;
  if (!lacksId) return { method, params };
  return { method, params: { ...params, elicitationId: call.world.bridge.mintId() } };
}

function tooManyRounds(rounds: number): SentinelError {
  return new SentinelError(
    "BACKEND_PROTOCOL",
    "Cannot finish the call: the backend asks again and again",
    { reason: `bridge.rounds = ${rounds}`, executed: "unknown" },
  );
}
