/** What must fit together in [[rules]] and [interceptors], apart from the expressions. */
import {
  parseFieldPath,
  parseTargetPath,
  RULE_BOUNDS,
  type RulePhase,
} from "../../contract/rules.ts";
import type { Path } from "../issue.ts";
import { quote, type Table, tableAt, tablesIn, textAt, textsIn, valueAt } from "../raw.ts";
import type { Report } from "./report.ts";

interface ActionRow {
  readonly phases: readonly RulePhase[];
  /** What it cannot do without, and how that looks. */
  readonly needs?: { readonly key: string; readonly example: string };
}

const ANYWHERE: readonly RulePhase[] = ["call", "result", "list"];
const OF_CALLS: readonly RulePhase[] = ["call", "result"];

const ACTIONS: Readonly<Record<string, ActionRow>> = {
  allow: { phases: ANYWHERE },
  deny: { phases: ANYWHERE },
  warn: { phases: ANYWHERE },
  redact: { phases: OF_CALLS, needs: { key: "fields", example: '["**.token"]' } },
  transform: {
    phases: OF_CALLS,
    needs: { key: "set", example: '{ "args.limit" = "min(args.limit, 100)" }' },
  },
  delay: { phases: OF_CALLS, needs: { key: "for", example: '"200ms"' } },
  fault: { phases: OF_CALLS, needs: { key: "error", example: '"BACKEND_LOST"' } },
  approve: { phases: ["call"] },
};

export function checkRules(tree: Table, report: Report): void {
  const rules = tablesIn(tree["rules"]);
  const names = new Set<string>();
  for (const [index, rule] of rules) {
    const path = ["rules", index];
    const name = textAt(rule, "name");
    if (name !== undefined && names.has(name)) {
      const message = `rule ${quote(name)} is there twice`;
      const place = { path: [...path, "name"], at: "value" } as const;
      report({ ...place, code: "conflict", message, hint: "choose another name" });
    }
    if (name !== undefined) names.add(name);
    checkAction(path, rule, report);
    checkFields(path, rule, report);
    checkTargets(path, rule, report);
  }
  checkCount(rules.length, report);
  checkOrder(tree, rules.length, report);
}

/** The phase of a rule; undefined when it is none. */
export function phaseOf(rule: Table): RulePhase | undefined {
  const on = rule["on"] ?? "call";
  return ANYWHERE.find((phase) => phase === on);
}

function checkAction(path: Path, rule: Table, report: Report): void {
  const action = textAt(rule, "action") ?? "";
  const row = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  const phase = phaseOf(rule);
  if (row === undefined || phase === undefined) return;
  if (!row.phases.includes(phase)) {
    const message = `a rule on ${phase}s cannot ${action}`;
    const hint = `${action} goes with on = ${row.phases.map(quote).join(" or ")}`;
    report({ code: "conflict", path: [...path, "action"], at: "value", message, hint });
  }
  const { needs } = row;
  if (needs !== undefined && !(needs.key in rule)) {
    const message = `a rule that ${verb(action)} needs ${quote(needs.key)}`;
    const hint = `add  ${needs.key} = ${needs.example}`;
    report({ code: "missing_key", path: [...path, "action"], at: "value", message, hint });
  }
  for (const { needs: other } of Object.values(ACTIONS)) {
    if (other === undefined || other.key === needs?.key || !(other.key in rule)) continue;
    const message = `${quote(other.key)} has no meaning for this action`;
    const place = { path: [...path, other.key], at: "key" } as const;
    report({ ...place, code: "conflict", message, hint: "remove it" });
  }
}

function verb(action: string): string {
  return action === "fault" ? "injects a fault" : `${action}s`;
}

function checkFields(path: Path, rule: Table, report: Report): void {
  const fields = textsIn(rule["fields"]);
  for (const [index, field] of fields) {
    if (parseFieldPath(field) !== undefined) continue;
    const message = `${quote(field)} is no path of a field`;
    const hint = 'write names with dots between them, such as "user.token" or "**.token"';
    const place = { path: [...path, "fields", index], at: "value" } as const;
    report({ ...place, code: "wrong_value", message, hint });
  }
  if (fields.length > RULE_BOUNDS.fields) tooMany([...path, "fields"], "fields", report);
}

function checkTargets(path: Path, rule: Table, report: Report): void {
  const phase = phaseOf(rule) ?? "call";
  const targets = Object.keys(tableAt(rule, "set"));
  for (const target of targets) {
    if (phase === "list" || parseTargetPath(target, phase) !== undefined) continue;
    const message = `${quote(target)} is no place that a rule on ${phase}s can set`;
    const hint = phase === "call"
      ? 'write a path in the arguments, such as "args.limit"'
      : 'write a path in the result, such as "result.structuredContent.total"';
    const place = { path: [...path, "set", target], at: "key" } as const;
    report({ ...place, code: "wrong_value", message, hint });
  }
  if (targets.length > RULE_BOUNDS.fields) tooMany([...path, "set"], "places", report);
}

function tooMany(path: Path, what: string, report: Report): void {
  const message = `there are more than ${RULE_BOUNDS.fields} ${what}`;
  const hint = "use wildcards or a second rule";
  report({ code: "wrong_value", path, at: "key", message, hint });
}

function checkCount(count: number, report: Report): void {
  if (count <= RULE_BOUNDS.rules) return;
  report({
    code: "wrong_value",
    path: ["rules", RULE_BOUNDS.rules],
    at: "table",
    message: `there are ${count} rules, at most ${RULE_BOUNDS.rules} are allowed`,
    hint: "join some with ||",
  });
}

function checkOrder(tree: Table, rules: number, report: Report): void {
  const path = ["interceptors", "order"];
  const order = textsIn(valueAt(tree, path));
  for (const [index, name] of order) {
    if (order.findIndex(([, other]) => other === name) === index) continue;
    const message = `${quote(name)} is in the order twice`;
    const place = { path: [...path, index], at: "value" } as const;
    report({ ...place, code: "conflict", message, hint: "remove one of the two" });
  }
  const isGiven = valueAt(tree, path) !== undefined;
  if (!isGiven || rules === 0 || order.some(([, name]) => name === "rules")) return;
  const message = "the rules would never be asked: the order does not name them";
  report({ code: "conflict", path, at: "value", message, hint: 'add  "rules"' });
}
