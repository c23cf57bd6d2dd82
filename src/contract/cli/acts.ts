/** What `--json` prints of commands that ask who may do what, and of calls. */
import * as v from "valibot";
import { AuditRecordSchema } from "../audit.ts";
import { amount, count, flag, list, maybe, text } from "../describe.ts";

/** A line of the configuration that says something about a call. */
const Ground = v.object({
  kind: v.pipe(
    v.picklist(["backend", "role", "kill", "rule", "limit", "redact", "unknown"]),
    v.description("What it is."),
  ),
  text: text("In words."),
  key: maybe(text("Key of the configuration.")),
  source: maybe(text("`file:line`, or the variable or option it came from.")),
});
export type Ground = v.InferOutput<typeof Ground>;

export const PolicyTestOutput = v.object({
  allowed: flag("Whether the call would be sent to the backend."),
  tool: text("Exposed name."),
  backend: maybe(text("Who offers it, as far as the name tells.")),
  caller: v.object({
    principal: maybe(text("Issuer and subject of the token.")),
    roles: v.pipe(
      v.nullable(v.pipe(v.array(v.string()), v.readonly())),
      v.description("Roles of the caller; null while sign-in is off."),
    ),
  }),
  decision: v.pipe(Ground, v.description("What decided.")),
  also: list(Ground, "What else applies to the call, in the order it is looked at."),
  arguments: maybe(
    v.pipe(
      v.record(v.string(), v.unknown()),
      v.description("What the backend would get; only when rules change it."),
    ),
  ),
});
export type PolicyTest = v.InferOutput<typeof PolicyTestOutput>;

export const TokenCheckOutput = v.object({
  valid: flag("Whether the gateway would accept it now."),
  problem: maybe(
    v.object({
      reason: text("As in the metric label `reason` of refused tokens."),
      text: text("In words."),
    }),
  ),
  algorithm: maybe(text("Value of `alg`.")),
  issuer: maybe(text("Value of `iss`.")),
  matched: maybe(text("Key of the entry of the configuration that is for this issuer.")),
  source: maybe(text("`file:line` of that entry.")),
  audience: maybe(list(v.string(), "Values of `aud`.")),
  subject: maybe(text("Value of `sub`.")),
  expires: maybe(text("Value of `exp`, ISO 8601.")),
  notBefore: maybe(text("Value of `nbf`, ISO 8601.")),
  rolesClaim: maybe(text("Claim the roles are read from.")),
  values: list(
    v.object({
      value: text("Value of the claim."),
      role: maybe(text("Role it gives; missing when none.")),
      pattern: maybe(text("Entry of `roles_map` that decided; missing: the role of that name.")),
      source: maybe(text("`file:line` of that entry, or of the role.")),
    }),
    "Values of the claim with the roles, and what they give.",
  ),
  roles: list(v.string(), "Roles it gives."),
  tools: maybe(
    v.object({
      from: text("The gateway that was asked."),
      names: list(v.string(), "Tools that its roles show."),
    }),
  ),
});
export type TokenCheck = v.InferOutput<typeof TokenCheckOutput>;

export const ToolResultOutput = v.object({
  tool: text("Exposed name."),
  endpoint: text("Where it was called."),
  isError: flag("Whether the tool says that it failed."),
  durationMs: amount("From the request to the result."),
  result: v.pipe(v.record(v.string(), v.unknown()), v.description("As the gateway answered it.")),
});

/** One row of the audit. */
export const CallRecordOutput = AuditRecordSchema;

export const AuditSearchOutput = v.object({
  items: list(AuditRecordSchema, "Rows that match."),
});

export const AuditVerificationOutput = v.object({
  ok: flag("Whether nothing is missing, changed or added."),
  runs: list(
    v.object({
      instance: text("UUIDv7 of the run."),
      last: count("Number of its last row."),
      rows: count("Rows that were looked at."),
      hash: v.optional(text("Of the last row; missing without a chain.")),
    }),
    "Runs of gateways, oldest first.",
  ),
  breaks: list(
    v.object({
      instance: text("UUIDv7 of the run."),
      sequence: count("Number of the row."),
      problem: text("What is wrong there."),
    }),
    "Where something is wrong.",
  ),
  waiting: count("Rows that the store does not have yet."),
});

export const GapOutput = v.object({
  after: maybe(text("Cursor of the last event before.")),
  oldest: maybe(text("Cursor of the oldest event that is kept.")),
  lost: maybe(count("How many are missing, at least; missing when nobody knows.")),
});

const Place = v.object({
  name: text("What it is."),
  path: text("Where it is; absolute."),
  exists: flag("Whether it is there."),
  about: text("What is in it."),
});

export const InfoOutput = v.object({
  version: text("Of mcp-sentinel."),
  runtime: text("What it runs on, such as `node 24.21.0`."),
  platform: text("Operating system and processor."),
  executable: text("Program that runs this command."),
  locale: text("Language and time zone of this machine; output is English and times are UTC."),
  places: list(Place, "Files and folders of this user, whether they exist or not."),
  variables: list(
    v.object({ name: text("Variable."), about: text("What it changes.") }),
    "Variables that are set and change what commands do; values are not shown.",
  ),
  gateways: list(
    v.object({
      name: text("What it calls itself."),
      pid: count("Process id."),
      management: text("Base URL of its management API."),
      endpoint: maybe(text("Endpoint for MCP clients.")),
      config: maybe(text("Configuration.")),
    }),
    "Gateways of this user that run on this machine.",
  ),
});

export const ManOutput = v.object({ file: text("Page that was written.") });
