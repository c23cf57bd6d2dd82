/** All handlers. */
import type { Context, Handlers } from "../handler.ts";
import { auditHandlers } from "./audit.ts";
import { backendHandlers } from "./backends.ts";
import { capabilityHandlers } from "./capabilities.ts";
import { configHandlers } from "./config.ts";
import { eventHandlers } from "./events.ts";
import { killSwitchHandlers } from "./kill_switches.ts";
import { limitHandlers } from "./limits.ts";
import { operationHandlers } from "./operations.ts";
import { sessionHandlers } from "./sessions.ts";
import { statusHandlers } from "./status.ts";

export function createHandlers(context: Context): Handlers {
  return {
    ...statusHandlers(context),
    ...backendHandlers(context),
    ...capabilityHandlers(context),
    ...eventHandlers(context),
    ...sessionHandlers(context),
    ...auditHandlers(context),
    ...limitHandlers(context),
    ...killSwitchHandlers(context),
    ...configHandlers(context),
    ...operationHandlers(context),
  };
}
