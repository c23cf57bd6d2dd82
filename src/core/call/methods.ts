/** Which methods there are in the legacy era, and which stages each takes, in the order of `order.ts`. */
import type { Stage } from "./call.ts";
import type { Step } from "./order.ts";
import { answerList, answerPing, answerSetLevel } from "./stages/answer.ts";
import { forward } from "./stages/forward.ts";
import { intent } from "./stages/intent.ts";
import { intercept } from "./stages/intercept.ts";
import { limit } from "./stages/limit.ts";
import {
  resolveCompletion,
  resolvePrompt,
  resolveResource,
  resolveTool,
} from "./stages/resolve.ts";
import { result } from "./stages/result.ts";
import { route } from "./stages/route.ts";
import { subscribe, unsubscribe } from "./stages/subscribe.ts";
import { validate } from "./stages/validate.ts";

type Line = readonly (readonly [Step, Stage])[];

const DELIVERED: Line = [["route", route], ["intent", intent], ["forward", forward], [
  "result",
  result,
]];
const TO_BACKEND: Line = [["limit", limit], ["intercept", intercept], ...DELIVERED];

/** `initialize` is not here: it makes the session that every call needs. */
const LINES = {
  "ping": [["answer", answerPing]],
  "tools/list": [["answer", answerList("tool")]],
  "prompts/list": [["answer", answerList("prompt")]],
  "resources/list": [["answer", answerList("resource")]],
  "resources/templates/list": [["answer", answerList("template")]],
  "logging/setLevel": [["answer", answerSetLevel]],
  "tools/call": [
    ["resolve", resolveTool],
    ["limit", limit],
    ["intercept", intercept],
    ["validate", validate],
    ...DELIVERED,
  ],
  "prompts/get": [["resolve", resolvePrompt], ...TO_BACKEND],
  "resources/read": [["resolve", resolveResource], ...TO_BACKEND],
  "completion/complete": [["resolve", resolveCompletion], ...TO_BACKEND],
  "resources/subscribe": counted(subscribe),
  "resources/unsubscribe": counted(unsubscribe),
} as const satisfies Record<string, Line>;

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

/** The steps of each method, for the test that keeps them in order and for the documentation. */
export const STEPS: ReadonlyMap<string, readonly Step[]> = new Map(
  Object.entries(LINES).map(([method, line]) => [method, (line as Line).map(([step]) => step)]),
);

/** The stages of each method. */
export const METHODS: ReadonlyMap<string, readonly Stage[]> = new Map(
  Object.entries(LINES).map(([method, line]) => [method, (line as Line).map(([, stage]) => stage)]),
);
