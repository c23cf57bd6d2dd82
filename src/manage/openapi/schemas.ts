/** Valibot schemas of the route table as JSON Schema (2020-12, which OpenAPI 3.1 uses). */
import {
  type ConversionConfig,
  type JsonSchema,
  toJsonSchema,
  toJsonSchemaDefs,
} from "@valibot/to-json-schema";
import type * as v from "valibot";
import {
  CapabilitySchema,
  ErrorAnswer,
  KillSwitchSchema,
  type RouteRow,
  ROUTES,
  SessionSchema,
} from "../../contract/manage/mod.ts";
import { ActorSchema, ConfigChangeSchema } from "../../contract/operations.ts";
import {
  BackendStatusSchema,
  CatalogSummarySchema,
  RefusedItemSchema,
  TrafficSchema,
} from "../../contract/status.ts";

export type { JsonSchema };

const ROWS: readonly RouteRow[] = Object.values(ROUTES);

/** What answers have in common, under names of its own. */
const PARTS: Readonly<Record<string, v.GenericSchema>> = {
  Error: ErrorAnswer,
  Actor: ActorSchema,
  BackendStatus: BackendStatusSchema,
  CapabilityItem: CapabilitySchema,
  CatalogSummary: CatalogSummarySchema,
  ConfigChange: ConfigChangeSchema,
  KillSwitch: KillSwitchSchema,
  RefusedItem: RefusedItemSchema,
  SessionStatus: SessionSchema,
  Traffic: TrafficSchema,
};

const CONFIG: ConversionConfig = {
  target: "draft-2020-12",
  ignoreActions: ["readonly", "trim"],
  // The only texts that become something else are numbers of the query.
  overrideAction: ({ valibotAction, jsonSchema }) =>
    valibotAction.type === "transform" ? asNumber(jsonSchema) : undefined,
  overrideRef: ({ referenceId }) => refTo(referenceId),
};

/** Every answer and what answers have in common, by name. */
export function componentSchemas(): Record<string, JsonSchema> {
  const answers = ROWS.flatMap((row) => {
    const name = answerName(row);
    return name === undefined ? [] : [[name, row.answer] as const];
  });
  const definitions = { ...PARTS, ...Object.fromEntries(answers) };
  return toJsonSchemaDefs(definitions, CONFIG) as Record<string, JsonSchema>;
}

/** Name of the component of an answer; undefined for texts and for documents of their own kind. */
export function answerName({ answer, schema }: RouteRow): string | undefined {
  if (!("entries" in answer)) return undefined;
  return schema.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("");
}

export function refTo(name: string): string {
  return `#/components/schemas/${name}`;
}

/** A body, or one parameter. */
export function schemaOf(schema: v.GenericSchema): JsonSchema {
  const { $schema: _draft, ...json } = toJsonSchema(schema, CONFIG);
  return json;
}

/** Schemas of the entries of an object, with whether each has to be there. */
export function entriesOf(schema: v.GenericSchema | undefined): [string, v.GenericSchema][] {
  const entries = schema !== undefined && "entries" in schema ? schema.entries : {};
  return Object.entries(entries as Record<string, v.GenericSchema>);
}

function asNumber({ default: fallback }: JsonSchema): JsonSchema {
  const start = fallback === undefined ? {} : { default: Number(fallback) };
  return { type: "integer", minimum: 1, ...start };
}
