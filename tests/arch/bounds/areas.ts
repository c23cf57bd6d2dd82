import { CALLS, HTTP_BACKENDS, PROCESSES } from "./backends.ts";
import { BRIDGE, REQUESTS, SESSIONS } from "./clients.ts";
import { DIAGNOSIS } from "./diagnosis.ts";
import { EDGE } from "./edge.ts";
import { CATALOG, OPERATORS, STORES } from "./inside.ts";
import type { Area } from "./table.ts";
import { TRACES } from "./telemetry.ts";

/** All bounds, in the order of the page. */
export const AREAS: readonly Area[] = [
  REQUESTS,
  SESSIONS,
  BRIDGE,
  CALLS,
  HTTP_BACKENDS,
  PROCESSES,
  CATALOG,
  OPERATORS,
  STORES,
  EDGE,
  TRACES,
  DIAGNOSIS,
];
