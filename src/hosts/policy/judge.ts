/**
 * Whether a call would be sent to its backend, as far as the configuration tells: with the roles, kill switches,
 * rules and limits a gateway decides by, in the order it does.
 */
import { segmentsOf } from "../../config/explain.ts";
import type { Config } from "../../contract/mod.ts";
import { selectionOf } from "../../core/auth/policy.ts";
import type { Principal } from "../../core/auth/principal.ts";
import type { Target } from "../../core/catalog/types.ts";
import { LimitRules } from "../../core/limits/rules.ts";
import type { JsonObject } from "../../core/mcp/json.ts";
import { KillSwitches } from "../../core/runtime/kill_switches.ts";
import { MemoryStateStore } from "../../stores/memory/state_store.ts";
import { findTool, indexOf } from "./find_tool.ts";
import type { Ground } from "./ground.ts";
import { OfflineRules } from "./offline_rules.ts";

export type { Ground } from "./ground.ts";

export interface PolicyQuestion {
  readonly config: Config;
  readonly principal: Principal;
  /** Exposed name. */
  readonly tool: string;
  /** Where the name alone does not tell. */
  readonly backend?: string | undefined;
  readonly args: Readonly<JsonObject>;
  /** Wall time, milliseconds since 1970: what rules see as `now`. */
  readonly now: number;
}

export interface Judgement {
  readonly allowed: boolean;
  readonly backend: string | undefined;
  /** What decided. */
  readonly decision: Ground;
  /** What else applies, in the order it is looked at. */
  readonly also: readonly Ground[];
  /** What rules made of the arguments; undefined when they left them alone. */
  readonly changed: Readonly<JsonObject> | undefined;
}

/** A caller with these roles of the configuration. */
export function signedInAs(subject: string, roles: readonly string[]): Principal {
  const sorted = [...new Set(roles)].sort();
  return { id: subject, subject, roles: sorted, roleKey: sorted.join(" ") };
}

/** Which of these tools the roles show. */
export function toolsShown(
  config: Config,
  roles: readonly string[],
  names: readonly string[],
): readonly string[] {
  const selection = selectionOf({ roles }, config);
  return names.filter((name) => selection.shows("tool", name));
}

/** Nothing is started, sent or counted. A rule that waits does not. */
export async function judgeCall(question: PolicyQuestion): Promise<Judgement> {
  const { config, principal, tool } = question;
  const found = findTool(config, tool, question.backend);
  if ("refused" in found) return refusal(found.refused, undefined, []);
  const { target } = found;
  const also: Ground[] = [];
  const role = roleGround(config, principal, tool);
  if (!selectionOf(principal, config).shows("tool", tool)) return refusal(role, target, also);
  const rules = new OfflineRules(question, target);
  await rules.ready();
  const hidden = await rules.hidden();
  if (hidden !== undefined) return refusal(hidden, target, [role]);
  const killed = killGround(config, target, question.now);
  if (killed !== undefined) return refusal(killed, target, [role]);
  also.push(limitGround(config, target, principal));
  const { refused, noted, args } = await rules.judged();
  also.push(...noted);
  if (refused !== undefined) return refusal(refused, target, [role, ...also]);
  also.push(...rules.onResults());
  // Numbers that rules set are texts of their own kind until they are sent.
  const changed = args && JSON.parse(JSON.stringify(args)) as JsonObject;
  return { allowed: true, backend: target.backend, decision: role, also, changed };
}

function refusal(
  decision: Ground,
  target: Target | undefined,
  also: readonly Ground[],
): Judgement {
  return { allowed: false, backend: target?.backend, decision, also, changed: undefined };
}

/** What of the roles shows a tool or hides it: a `deny` of any of them goes before everything else. */
function roleGround({ roles: all }: Config, { roles }: Principal, tool: string): Ground {
  if (roles === undefined) return { kind: "role", text: "sign-in is off: everything is shown" };
  const own = roles.filter((name) => Object.hasOwn(all, name));
  const first = (key: "deny" | "tools") => {
    for (const name of own) {
      const patterns = all[name]?.[key] ?? [];
      const index = indexOf(patterns, tool);
      if (index >= 0) return { name, pattern: patterns[index] ?? "", index };
    }
    return undefined;
  };
  const denied = first("deny");
  if (denied !== undefined) {
    const { name, pattern, index } = denied;
    const text = `role ${name} denies "${pattern}"`;
    return { kind: "role", text, path: ["roles", name, "deny", index] };
  }
  const shown = first("tools");
  if (shown !== undefined) {
    const { name, pattern, index } = shown;
    const text = `role ${name} shows "${pattern}"`;
    return { kind: "role", text, path: ["roles", name, "tools", index] };
  }
  const [only, ...more] = own;
  if (only === undefined) {
    const text = `the configuration has no role ${roles.join(", ")}, so nothing is shown`;
    return { kind: "role", text, path: ["roles"] };
  }
  const text = `no pattern of ${more.length === 0 ? "role" : "roles"} ${own.join(", ")} shows it`;
  return { kind: "role", text, path: ["roles", only, "tools"] };
}

function killGround({ kill }: Config, target: Target, now: number): Ground | undefined {
  const switches = new KillSwitches(new MemoryStateStore());
  switches.configure(kill, new Date(now).toISOString());
  const set = switches.of(target);
  if (set === undefined) return undefined;
  const text = `a kill switch of the configuration is set for "${set.name}": ${set.reason}`;
  return { kind: "kill", text, path: ["kill", set.scope, kill[set.scope].indexOf(set.name)] };
}

function limitGround({ limits }: Config, target: Target, { roles }: Principal): Ground {
  const { text } = new LimitRules(limits).of(target, roles);
  const key = text.slice(0, text.lastIndexOf(" = "));
  return { kind: "limit", text, path: segmentsOf(key) };
}
