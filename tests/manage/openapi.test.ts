import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ERRORS } from "../../src/contract/mod.ts";
import { type RouteRow, ROUTES } from "../../src/contract/manage/mod.ts";
import { openapiDocument } from "../../src/manage/openapi.ts";

type Json = Readonly<Record<string, unknown>>;

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description: string;
  readonly schema: Json;
}

interface Content {
  readonly description: string;
  readonly content?: Readonly<Record<string, { readonly schema: Json }>>;
}

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly tags: readonly string[];
  readonly security: readonly Json[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: Content & { readonly required: boolean };
  readonly responses: Readonly<Record<string, Content>>;
}

interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly securitySchemes: Readonly<Record<string, Json>>;
  };
}

const built = openapiDocument("1.2.3");
const document = built as unknown as Document;

const ROUTE_ROWS = Object.entries<RouteRow>(ROUTES);

function operations(): { path: string; method: string; operation: Operation }[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method, operation }))
  );
}

function operationOf(id: string): Operation {
  const found = operations().find(({ operation }) => operation.operationId === id);
  assert.ok(found !== undefined, `${id} is not in the document`);
  return found.operation;
}

/** Every object below a value, with where it stands. */
function* objectsIn(value: unknown, at = "#"): Generator<[string, Json]> {
  if (typeof value !== "object" || value === null) return;
  if (!Array.isArray(value)) yield [at, value as Json];
  for (const [key, child] of Object.entries(value)) yield* objectsIn(child, `${at}/${key}`);
}

/** JSON Schema 2020-12 as far as the document uses it. */
const KEYWORDS: Readonly<Record<string, (value: unknown) => boolean>> = {
  $ref: (value) => typeof value === "string",
  type: (value) => /^(string|integer|number|boolean|array|object)$/.test(String(value)),
  description: (value) => typeof value === "string" && value !== "",
  enum: (value) => Array.isArray(value) && value.length > 0,
  default: () => true,
  format: (value) => value === "date-time",
  pattern: (value) => typeof value === "string" && new RegExp(value, "u") instanceof RegExp,
  minLength: isCount,
  maxLength: isCount,
  minimum: isCount,
  maximum: isCount,
  items: isSchema,
  properties: (value) => Object.values(value as Json).every(isSchema),
  propertyNames: isSchema,
  required: (value) => Array.isArray(value) && value.every((name) => typeof name === "string"),
  additionalProperties: (value) => typeof value === "boolean" || isSchema(value),
};

function isCount(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0;
}

function isSchema(value: unknown): boolean {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  for (const [keyword, argument] of Object.entries(value)) {
    const check = KEYWORDS[keyword];
    assert.ok(check !== undefined, `"${keyword}" is no keyword: ${JSON.stringify(value)}`);
    assert.ok(check(argument), `${keyword}: ${JSON.stringify(argument)}`);
  }
  const { required = [], properties = {} } = value as { required?: string[]; properties?: Json };
  for (const name of required) assert.ok(Object.hasOwn(properties, name), `required ${name}`);
  return true;
}

describe("openapiDocument()", () => {
  it("is plain JSON of OpenAPI 3.1 with the version it is given", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(built)), built);
    assert.match(document.openapi, /^3\.1\.\d+$/);
    assert.equal(document.info.version, "1.2.3");
    assert.ok(document.info.title.length > 0);
  });

  it("has every route of the table, and nothing else", () => {
    const told = operations().map(({ path, method, operation }) =>
      `${operation.operationId} ${method.toUpperCase()} ${path}`
    );
    const known = ROUTE_ROWS.map(([name, { method, path }]) =>
      `${name} ${method} ${path.replace(/:(\w+)/g, "{$1}")}`
    );
    assert.deepEqual(told.toSorted(), known.toSorted());
    const ids = operations().map(({ operation }) => operation.operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  it("leads every reference to something, and has nothing that nobody refers to", () => {
    const text = JSON.stringify(built);
    const targets = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
      .map(([, name = ""]) => name);
    assert.equal(targets.length, text.split('"$ref"').length - 1);
    const known = Object.keys(document.components.schemas);
    assert.deepEqual([...new Set(targets)].toSorted(), known.toSorted());
  });

  it("has schemas of known keywords only, all of their members described", () => {
    for (const [name, schema] of Object.entries(document.components.schemas)) {
      assert.ok(isSchema(schema), name);
      for (const [at, part] of objectsIn(schema)) {
        const properties = at.endsWith("/properties") ? Object.entries(part) : [];
        for (const [member, value] of properties) {
          const { description, $ref, type } = value as Json;
          const told = description ?? $ref ?? (type === "object" || undefined);
          assert.notEqual(told, undefined, `${name} ${at}/${member}`);
        }
      }
    }
  });

  it("declares the parameters of every path and query, described, each once", () => {
    for (const { path, operation } of operations()) {
      const parameters = operation.parameters ?? [];
      const inPath = parameters.filter((parameter) => parameter.in === "path");
      const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(inPath.map(({ name }) => name), names, path);
      assert.ok(inPath.every(({ required }) => required === true), path);
      const ids = parameters.map((parameter) => `${parameter.in} ${parameter.name}`);
      assert.equal(new Set(ids).size, ids.length, path);
      for (const { name, description, schema } of parameters) {
        assert.ok(isSchema(schema), `${path} ${name}`);
        assert.ok(description.length > 0, `${path} ${name}`);
      }
    }
    const query = (id: string) =>
      (operationOf(id).parameters ?? []).filter((parameter) => parameter.in === "query");
    assert.deepEqual(query("events").map(({ name }) => name), ["after", "limit", "filter"]);
    assert.deepEqual(query("backends")[1]?.schema, {
      type: "integer",
      minimum: 1,
      maximum: 1000,
      default: 100,
    });
  });

  for (const [name, row] of ROUTE_ROWS) {
    it(`tells of ${name} who may use it, what it takes and what it answers`, () => {
      const { security, parameters = [], requestBody, responses } = operationOf(name);
      const schemes = security.flatMap(Object.keys);
      const wanted = { public: [], read: ["read", "admin"], admin: ["admin"] };
      assert.deepEqual(schemes, wanted[row.scope]);
      for (const scheme of schemes) assert.ok(document.components.securitySchemes[scheme]);
      const headers = parameters.filter((parameter) => parameter.in === "header");
      const hasKey = headers.some((parameter) => parameter.name === "Idempotency-Key");
      assert.equal(hasKey, row.operation === true);
      assert.equal(requestBody !== undefined, row.body !== undefined);
      const types = Object.keys(responses["200"]?.content ?? {});
      const media = {
        json: ["application/json"],
        text: ["application/openmetrics-text", "text/plain"],
        events: ["text/event-stream"],
      };
      assert.deepEqual(types, media[row.answers]);
    });

    it(`tells of ${name} how it is refused`, () => {
      const { responses } = operationOf(name);
      const statuses = Object.keys(responses);
      const has = (status: number) => statuses.includes(String(status));
      assert.ok(has(400) && has(403) && has(421) && has(500));
      assert.equal(has(401), row.scope !== "public");
      assert.equal(has(429), row.scope !== "public");
      assert.equal(has(413) && has(415), row.body !== undefined);
      assert.equal(has(409), row.operation === true);
      if (row.path.includes(":")) assert.ok(has(404));
      for (const [status, { description, content }] of Object.entries(responses)) {
        assert.match(status, /^[245]\d\d$/);
        assert.ok(description.length > 0);
        if (status === "200" || (status === "503" && row.mayBeUnready === true)) continue;
        assert.deepEqual(content, {
          "application/json": { schema: { $ref: "#/components/schemas/Error" } },
        });
        for (const [, code = ""] of description.matchAll(/`(\w+)`/g)) {
          assert.ok(Object.hasOwn(ERRORS, code), code);
        }
      }
    });
  }

  it("asks for a body only where something has to be in it", () => {
    assert.equal(operationOf("kill").requestBody?.required, true);
    assert.equal(operationOf("reload").requestBody?.required, false);
  });

  it("resumes streams of events by header, but not those that keep nothing", () => {
    const headers = (id: string) => (operationOf(id).parameters ?? []).map(({ name }) => name);
    assert.ok(headers("eventStream").includes("Last-Event-ID"));
    assert.ok(!headers("callStream").includes("Last-Event-ID"));
  });
});
