/**
 * What a rule may say: variables, functions and bounds of its expressions. The check of the file and the engine
 * read the same tables, so that what is accepted is what runs.
 */

export type RulePhase = "call" | "result" | "list";

export const RULE_BOUNDS = {
  rules: 200,
  /** Characters of an expression. */
  expression: 4096,
  /** Characters of a regular expression written in a rule. */
  pattern: 1000,
  /** Characters of a regular expression that is computed, so that it may be a caller's. */
  computedPattern: 100,
  /** Fields one rule redacts, values one rule sets. */
  fields: 50,
  /** Names in the path of a field. */
  segments: 16,
} as const;

/** Limits of the expression parser. */
export const EXPRESSION_LIMITS = {
  maxAstNodes: 1000,
  maxDepth: 64,
  maxListElements: 1000,
  maxMapEntries: 100,
  maxCallArguments: 8,
} as const;

/** Members of the variables that have a fixed shape, with their CEL types. */
export const RULE_TYPES = {
  Tool: {
    name: "string",
    backend: "string",
    original: "string",
    kind: "string",
    annotations: "map<string, dyn>",
  },
  Identity: { id: "string", subject: "string", issuer: "string", roles: "list<string>" },
  Session: {
    id: "string",
    transport: "string",
    protocol: "string",
    client: "string",
    toolset: "string",
  },
  Request: { id: "string" },
} as const;

export type RuleType = keyof typeof RULE_TYPES;

const SEEN = { identity: "Identity", session: "Session" } as const;
const NOW = { now: "google.protobuf.Timestamp" } as const;
const CALL = {
  tool: "Tool",
  args: "map<string, dyn>",
  ...SEEN,
  request: "Request",
  ...NOW,
  method: "string",
} as const;

/**
 * Variables by phase, with their CEL types. What is hidden from a list must be unknown to a call too, so a rule
 * on lists sees nothing of a single request.
 */
export const RULE_VARIABLES = {
  call: CALL,
  result: { ...CALL, result: "map<string, dyn>" },
  list: { tool: "Tool", ...SEEN, ...NOW },
} as const satisfies Readonly<Record<RulePhase, Readonly<Record<string, string>>>>;

/** Functions beside those of CEL. */
export const RULE_FUNCTIONS = {
  min: "min(dyn, dyn): dyn",
  max: "max(dyn, dyn): dyn",
} as const;

/** Where `redact` looks: names from the top, `*` in a name for any characters, `**` for any depth. */
export function parseFieldPath(path: string): readonly string[] | undefined {
  const segments = path.split(".");
  const usable = segments.length <= RULE_BOUNDS.segments &&
    segments.every((segment) => segment !== "" && (segment === "**" || !segment.includes("**")));
  return usable ? segments : undefined;
}

/** Where `transform` writes: `args.limit`, `result.structuredContent.total`; undefined when it cannot. */
export function parseTargetPath(path: string, phase: RulePhase): readonly string[] | undefined {
  const [root, ...segments] = path.split(".");
  const named = segments.length > 0 && segments.length <= RULE_BOUNDS.segments &&
    segments.every((segment) => segment !== "" && segment !== "__proto__");
  const roots: Readonly<Record<RulePhase, string>> = { call: "args", result: "result", list: "" };
  return named && root === roots[phase] ? segments : undefined;
}

/** What a walk over a parsed expression reads of its nodes. */
export interface ExpressionNode {
  readonly op: string;
  readonly args: unknown;
  readonly start: number;
  readonly end: number;
}

/** Every node of a parsed expression, those written in macros included. */
export function* nodesOf(value: unknown): Generator<ExpressionNode> {
  if (Array.isArray(value)) {
    for (const one of value) yield* nodesOf(one);
  } else if (isNode(value)) {
    yield value;
    yield* nodesOf(value.args);
  }
}

function isNode(value: unknown): value is ExpressionNode {
  return typeof value === "object" && value !== null && "op" in value && "args" in value;
}

/** The regular expression a call of `matches` was given as text, if it was. */
export function literalPattern(
  node: ExpressionNode,
): { text: string; at: ExpressionNode } | undefined {
  if (node.op !== "rcall" || !Array.isArray(node.args) || node.args[0] !== "matches") {
    return undefined;
  }
  const [pattern] = node.args[2] as readonly unknown[];
  if (!isNode(pattern) || pattern.op !== "value" || typeof pattern.args !== "string") {
    return undefined;
  }
  return { text: pattern.args, at: pattern };
}
