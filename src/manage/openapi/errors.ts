/** What a route may refuse, and with which status. */
import { type ErrorName, ERRORS } from "../../contract/mod.ts";
import type { RouteRow } from "../../contract/manage/mod.ts";
import { refTo } from "./schemas.ts";

interface Refusal {
  readonly code: ErrorName;
  /** Where the table has none, or another one. */
  readonly http?: number;
  readonly when: (row: RouteRow) => boolean;
}

const always = () => true;

const REFUSALS: readonly Refusal[] = [
  { code: "BAD_HTTP", when: always },
  { code: "INVALID_PARAMS", http: 400, when: takesInput },
  { code: "PARSE", when: ({ body }) => body !== undefined },
  { code: "UNAUTHENTICATED", when: isProtected },
  { code: "ORIGIN_OR_HOST_REFUSED", when: always },
  { code: "ORIGIN_OR_HOST_REFUSED", http: 421, when: always },
  { code: "INSUFFICIENT_SCOPE", when: ({ scope }) => scope === "admin" },
  {
    code: "OPERATION_DISABLED",
    when: ({ schema, path }) => readsConfig(schema) || path.endsWith("/shutdown"),
  },
  { code: "NOT_FOUND", when: ({ path, answers }) => path.includes(":") || answers === "text" },
  { code: "CONFLICT", when: ({ operation }) => operation === true },
  { code: "CURSOR_UNKNOWN", when: ({ path }) => path.startsWith("/manage/v1/events") },
  { code: "TOO_LARGE", when: ({ body }) => body !== undefined },
  { code: "BAD_HTTP", http: 415, when: ({ body }) => body !== undefined },
  { code: "CONFIG_INVALID", when: ({ schema }) => readsConfig(schema) },
  { code: "RATE_LIMITED", when: isProtected },
  { code: "INTERNAL", when: always },
  {
    code: "OVERLOADED",
    when: ({ operation, answers }) => operation === true || answers === "events",
  },
  { code: "STOPPING", when: ({ operation }) => operation === true },
  { code: "AUDIT_UNAVAILABLE", when: isProtected },
];

/** The responses of every error a route may answer, by status. */
export function errorResponses(row: RouteRow): Record<string, unknown> {
  const refusals = REFUSALS.filter(({ when }) => when(row));
  const byStatus = Map.groupBy(refusals, ({ code, http }) => http ?? ERRORS[code].http);
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => {
      const codes = same.map(({ code }) => `\`${code}\``);
      const headers = status === 401 || status === 429 ? { headers: HEADERS[status] } : {};
      const content = { "application/json": { schema: { $ref: refTo("Error") } } };
      return [String(status), { description: `${codes.join(", ")}.`, ...headers, content }];
    }),
  );
}

const HEADERS = {
  401: {
    "WWW-Authenticate": { description: "Always `Bearer`.", schema: { type: "string" } },
  },
  429: {
    "Retry-After": { description: "Seconds to wait.", schema: { type: "integer" } },
  },
} as const;

function takesInput({ query, body, operation }: RouteRow): boolean {
  return query !== undefined || body !== undefined || operation === true;
}

function isProtected({ scope }: RouteRow): boolean {
  return scope !== "public";
}

function readsConfig(schema: string): boolean {
  return schema === "diff" || schema === "reload";
}
