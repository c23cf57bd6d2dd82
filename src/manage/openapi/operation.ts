/** One route of the table as operation of OpenAPI. */
import * as v from "valibot";
import type { RouteName, RouteParams, RouteRow } from "../../contract/manage/mod.ts";
import { errorResponses } from "./errors.ts";
import { answerName, entriesOf, type JsonSchema, refTo, schemaOf } from "./schemas.ts";

type ParamName = { [Name in RouteName]: keyof RouteParams<Name> }[RouteName];

const PARAMS: Readonly<Record<ParamName, { about: string; schema: JsonSchema }>> = {
  name: {
    about: "Name or URI, percent-encoded as one segment.",
    schema: { type: "string", minLength: 1 },
  },
  kind: {
    about: "What it is.",
    schema: { type: "string", enum: ["tool", "prompt", "resource", "template"] },
  },
  id: { about: "Id as `/manage/v1/sessions` shows it.", schema: { type: "string" } },
  instance: {
    about: "Run as `/manage/v1/audit/runs` shows it, or `current`.",
    schema: { type: "string" },
  },
  scope: {
    about: "What the switch is for.",
    schema: { type: "string", enum: ["tools", "backends"] },
  },
};

const IDEMPOTENCY_KEY = {
  name: "Idempotency-Key",
  in: "header",
  description:
    "Makes a repetition harmless: within ten minutes the same key gives the same answer.",
  schema: { type: "string", pattern: "^[\\x21-\\x7e]{1,200}$" },
};

const LAST_EVENT_ID = {
  name: "Last-Event-ID",
  in: "header",
  description: "Cursor of the last event seen; the stream goes on after it.",
  schema: { type: "string" },
};

const STREAM =
  "Server-sent events; the schema is that of the data of each. Events `gap`, `slow`, " +
  "`unauthorized` and `stopping` tell about the stream itself; all but `gap` end it.";

/** @param id name of the route: its `operationId` */
export function operationOf(id: string, row: RouteRow): Record<string, unknown> {
  const parameters = parametersOf(row);
  return {
    operationId: id,
    tags: [areaOf(row.path)],
    summary: row.summary,
    security: securityOf(row),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(row.body === undefined ? {} : { requestBody: bodyOf(row.body) }),
    responses: {
      "200": answerOf(row),
      ...errorResponses(row),
      ...(row.mayBeUnready === true ? { "503": answerOf(row) } : {}),
    },
  };
}

/** `/manage/v1/backends/:name` → `/manage/v1/backends/{name}`. */
export function templateOf(path: string): string {
  return path.replace(/:(\w+)/g, "{$1}");
}

function areaOf(path: string): string {
  return path.replace(/^\/manage\/v1/, "").split("/")[1] ?? "";
}

/** A token of scope admin may read, too. */
function securityOf({ scope }: RouteRow): Record<string, never[]>[] {
  if (scope === "public") return [];
  return scope === "read" ? [{ read: [] }, { admin: [] }] : [{ admin: [] }];
}

function parametersOf(row: RouteRow): unknown[] {
  const inPath = [...row.path.matchAll(/:(\w+)/g)].map(([, name = ""]) => {
    const { about, schema } = PARAMS[name as ParamName];
    return { name, in: "path", required: true, description: about, schema };
  });
  const query = entriesOf(row.query);
  const inQuery = query.map(([name, schema]) => {
    const { description, ...json } = schemaOf(schema);
    return {
      name,
      in: "query",
      description: description ?? v.getDescription(schema),
      schema: json,
    };
  });
  const resumes = row.answers === "events" && query.some(([name]) => name === "after");
  return [
    ...inPath,
    ...inQuery,
    ...(resumes ? [LAST_EVENT_ID] : []),
    ...(row.operation === true ? [IDEMPOTENCY_KEY] : []),
  ];
}

function bodyOf(body: v.GenericSchema): unknown {
  const schema = schemaOf(body);
  const required = (schema.required ?? []).length > 0;
  return { required, content: { "application/json": { schema } } };
}

function answerOf(row: RouteRow): unknown {
  const name = answerName(row);
  const schema = name === undefined ? schemaOf(row.answer) : { $ref: refTo(name) };
  switch (row.answers) {
    case "json":
      return { description: row.summary, content: { "application/json": { schema } } };
    case "text":
      return {
        description: row.summary,
        content: {
          "application/openmetrics-text": { schema },
          "text/plain": { schema },
        },
      };
    case "events":
      return {
        description: `${row.summary} ${STREAM}`,
        content: { "text/event-stream": { schema } },
      };
  }
}
