/** Which methods there are in each era, and which stages each takes, in the order of `order.ts`. */
import type { Era } from "../../contract/mod.ts";
import type { Stage } from "./call.ts";
import type { Step } from "./order.ts";
import { answerDiscover, answerList, answerPing, answerSetLevel } from "./stages/answer.ts";
import { forward } from "./stages/forward.ts";
import { intent } from "./stages/intent.ts";
import { intercept } from "./stages/intercept.ts";
import { limit } from "./stages/limit.ts";
import { mirror } from "./stages/mirror.ts";
import {
  resolveCompletion,
  resolvePrompt,
  resolveResource,
  resolveTask,
  resolveTool,
} from "./stages/resolve.ts";
import { result } from "./stages/result.ts";
import { route } from "./stages/route.ts";
import { subscribe, unsubscribe } from "./stages/subscribe.ts";
import { validate } from "./stages/validate.ts";

type Line = readonly (readonly [Step, Stage])[];
type Lines = Readonly<Record<string, Line>>;

const DELIVERED: Line = [["route", route], ["intent", intent], ["forward", forward], [
  "result",
  result,
]];
const TO_BACKEND: Line = [["limit", limit], ["intercept", intercept], ...DELIVERED];

/** Asked for again and again, by whoever the call was allowed to. */
const TASK: Line = [["resolve", resolveTask], ["limit", limit], ...DELIVERED];

/** Of both eras. */
const SHARED: Lines = {
  "tools/list": [["answer", answerList("tool")]],
  "prompts/list": [["answer", answerList("prompt")]],
  "resources/list": [["answer", answerList("resource")]],
  "resources/templates/list": [["answer", answerList("template")]],
  "prompts/get": [["resolve", resolvePrompt], ...TO_BACKEND],
  "resources/read": [["resolve", resolveResource], ...TO_BACKEND],
  "completion/complete": [["resolve", resolveCompletion], ...TO_BACKEND],
};

/** `initialize` is not here: it makes the session that every call of this era needs. */
const LEGACY: Lines = {
  "ping": [["answer", answerPing]],
  ...SHARED,
  "tools/call": toolCall([["validate", validate]]),
  "logging/setLevel": [["answer", answerSetLevel]],
  "resources/subscribe": counted(subscribe),
  "resources/unsubscribe": counted(unsubscribe),
};

/** `subscriptions/listen` is not here: it is no call, and lasts as long as the client likes. */
const MODERN: Lines = {
  "server/discover": [["answer", answerDiscover]],
  ...SHARED,
  "tools/call": toolCall([["validate", mirror], ["validate", validate]]),
  "tasks/get": TASK,
  "tasks/update": TASK,
  "tasks/cancel": TASK,
};

/** Methods in which a backend may ask its client something (specification 2026-07-28). */
export const ASKING: ReadonlySet<string> = new Set(["tools/call", "prompts/get", "resources/read"]);

function toolCall(checks: Line): Line {
  return [
    ["resolve", resolveTool],
    ["limit", limit],
    ["intercept", intercept],
    ...checks,
    ...DELIVERED,
  ];
}

/** Lines of subscriptions: most of them never reach the backend. */
function counted(stage: Stage): Line {
  return [
    ["resolve", resolveResource],
    ["limit", limit],
    ["intercept", intercept],
    ["route", route],
    ["intent", intent],
    ["forward", stage],
    ["forward", forward],
    ["result", result],
  ];
}

/** The steps of each method of either era. */
export const STEPS: ReadonlyMap<string, readonly Step[]> = new Map(
  Object.entries({ ...LEGACY, ...MODERN }).map((
    [method, line],
  ) => [method, line.map(([step]) => step)]),
);

/** The stages of each method, by era. */
export const METHODS: Readonly<Record<Era, ReadonlyMap<string, readonly Stage[]>>> = {
  legacy: stagesOf(LEGACY),
  modern: stagesOf(MODERN),
};

function stagesOf(lines: Lines): ReadonlyMap<string, readonly Stage[]> {
  return new Map(
    Object.entries(lines).map(([method, line]) => [method, line.map(([, stage]) => stage)]),
  );
}
