/**
 * Everything that `--json` prints, in one table: it types what commands write, and the published JSON Schema
 * (`docs/cli.schema.json`, `mcp-sentinel schema`) is made from it. Each object begins with its name:
 * `"schema": "mcp-sentinel/v1/<kind>"`. Members may be added within a version.
 */
import type * as v from "valibot";
import { AuditRecordSchema } from "./audit.ts";
import {
  AuditSearchOutput,
  AuditVerificationOutput,
  CallRecordOutput,
  GapOutput,
  InfoOutput,
  ManOutput,
  PolicyTestOutput,
  TokenCheckOutput,
  ToolResultOutput,
} from "./cli/acts.ts";
import {
  ConnectAdviceOutput,
  ConnectLinksOutput,
  ConnectOutput,
  ConnectUndoOutput,
} from "./cli/connecting.ts";
import {
  ConfigCheckOutput,
  ConfigKeyOutput,
  ConfigOutput,
  ConfigPathOutput,
  ErrorOutput,
  InitOutput,
  ManagementTokenOutput,
  ProfileListOutput,
  ProfileOutput,
  ProfileTestOutput,
  ServerOutput,
  TokenOutput,
  UpOutput,
  VersionOutput,
} from "./cli/files.ts";
import { DiagnosisSchema } from "./diagnosis.ts";
import { ImportOutput } from "./cli/importing.ts";
import { type RouteName, ROUTES } from "./manage/routes.ts";

export interface CliOutputRow {
  readonly schema: v.GenericSchema;
  readonly summary: string;
  /** Also or only printed as one object a line, for as long as the command runs. */
  readonly lines?: true;
  /** Printed without the member `schema`. */
  readonly bare?: true;
}

/** The answer of a route, printed as it came. */
function answerOf<const Name extends RouteName>(name: Name) {
  const { answer, summary }: { answer: (typeof ROUTES)[Name]["answer"]; summary: string } =
    ROUTES[name];
  return { schema: answer, summary };
}

export const CLI_OUTPUTS = {
  approve: answerOf("approve"),
  audit: { schema: AuditRecordSchema, summary: "A new row of the audit.", lines: true },
  "audit-export": {
    schema: AuditRecordSchema,
    summary: "A row of the audit as it is, so that its hash can be computed anew.",
    lines: true,
    bare: true,
  },
  "audit-list": { schema: AuditSearchOutput, summary: "Rows of the audit that match." },
  "audit-verification": {
    schema: AuditVerificationOutput,
    summary: "What the numbers and the chain of the audit prove.",
  },
  backend: answerOf("backend"),
  "backend-list": answerOf("backends"),
  "backend-logs": answerOf("backendLogs"),
  call: { ...answerOf("callStream"), lines: true },
  "call-record": { schema: CallRecordOutput, summary: "One call as the audit has it." },
  capability: answerOf("capability"),
  "capability-list": answerOf("capabilities"),
  config: { schema: ConfigOutput, summary: "The configuration in force." },
  "config-check": { schema: ConfigCheckOutput, summary: "What is wrong with a configuration." },
  "config-key": {
    schema: ConfigKeyOutput,
    summary: "What a key means and where its value is from.",
  },
  "config-path": { schema: ConfigPathOutput, summary: "Which file is used." },
  connect: { schema: ConnectOutput, summary: "What was written into files of clients." },
  "connect-advice": { schema: ConnectAdviceOutput, summary: "How to point clients at a gateway." },
  "connect-links": { schema: ConnectLinksOutput, summary: "Links that clients open." },
  "connect-undo": { schema: ConnectUndoOutput, summary: "What was taken back." },
  diff: answerOf("diff"),
  doctor: { schema: DiagnosisSchema, summary: "What is wrong, and what to do about it." },
  error: { schema: ErrorOutput, summary: "Why a command failed; in place of its result." },
  event: { ...answerOf("eventStream"), lines: true },
  "event-list": answerOf("events"),
  gap: { schema: GapOutput, summary: "Something is missing from a stream here.", lines: true },
  import: { schema: ImportOutput, summary: "What the files of clients become." },
  info: { schema: InfoOutput, summary: "Where files are, and what runs." },
  init: { schema: InitOutput, summary: "The configuration that was written." },
  kill: answerOf("kill"),
  "kill-switch-list": answerOf("killSwitches"),
  "limit-list": answerOf("limits"),
  man: { schema: ManOutput, summary: "The manual page that was written." },
  "management-token": {
    schema: ManagementTokenOutput,
    summary: "A new token for the management API.",
  },
  operation: answerOf("reconnect"),
  "policy-test": {
    schema: PolicyTestOutput,
    summary: "Whether a caller may call a tool, and why.",
  },
  profile: { schema: ProfileOutput, summary: "The profile that was added, chosen or removed." },
  "profile-list": { schema: ProfileListOutput, summary: "Gateways that are known by name." },
  "profile-test": { schema: ProfileTestOutput, summary: "What a gateway answered." },
  reload: answerOf("reload"),
  server: { schema: ServerOutput, summary: "A gateway has started from a file." },
  session: answerOf("session"),
  "session-list": answerOf("sessions"),
  status: { ...answerOf("status"), lines: true },
  token: { schema: TokenOutput, summary: "A new token for development." },
  "token-check": { schema: TokenCheckOutput, summary: "What a token is worth, and why." },
  "tool-result": { schema: ToolResultOutput, summary: "What a tool answered." },
  up: { schema: UpOutput, summary: "A gateway has started." },
  version: { schema: VersionOutput, summary: "Versions." },
} as const satisfies Record<string, CliOutputRow>;

/** Kind of an object that `--json` prints. */
export type CliKind = keyof typeof CLI_OUTPUTS;

/** What it holds beside its name. */
export type CliOutput<Kind extends CliKind> = v.InferOutput<(typeof CLI_OUTPUTS)[Kind]["schema"]>;

/** Kinds that are printed one object a line. */
export type CliLine = {
  [Kind in CliKind]: (typeof CLI_OUTPUTS)[Kind] extends { readonly lines: true } ? Kind : never;
}[CliKind];
