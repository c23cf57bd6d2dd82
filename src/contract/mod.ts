export {
  type BackendConfig,
  type CatalogConfig,
  type Config,
  ConfigSchema,
  type ToolsetConfig,
} from "./config.ts";
export {
  asSentinelError,
  type ErrorDetails,
  type ErrorName,
  ERRORS,
  type Executed,
  type Fault,
  HttpFailure,
  type RpcError,
  SentinelError,
  toRpcError,
} from "./errors.ts";
export {
  type EventName,
  EVENTS,
  type GatewayEvent,
  GatewayEventSchema,
  SEVERITIES,
  type Severity,
} from "./events.ts";
export {
  type BackendName,
  type ExposedName,
  NAME_PATTERN,
  type RequestId,
  type SessionId,
} from "./ids.ts";
export { type Labels, type MetricName, METRICS } from "./metrics.ts";
export {
  type Actor,
  CHANGE_EFFECTS,
  type ChangeEffect,
  type ConfigChange,
  type Operation,
  OPERATION_OUTCOMES,
  type OperationKind,
  type OperationOutcome,
  OPERATIONS,
} from "./operations.ts";
export {
  BACKEND_STATES,
  type BackendKind,
  type BackendState,
  type BackendStatus,
  BackendStatusSchema,
  type DroppedMessages,
  type Era,
  type RefusedItem,
  RUNTIME_STATES,
  type RuntimeState,
  type Snapshot,
  type Traffic,
} from "./status.ts";
