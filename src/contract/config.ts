/**
 * The configuration as valibot schema: keys are spelled as in `sentinel.toml`; the parsed form has
 * durations in milliseconds, sizes in bytes and dates in milliseconds since 1970. Each key also carries
 * its description, example and reload class, so that parser, reference page, JSON Schema, template and
 * `config explain` read one table.
 */
import * as v from "valibot";
import { backend } from "./config/backends.ts";
import { catalog, toolset } from "./config/catalog.ts";
import { key } from "./config/key.ts";
import { management, reload, telemetry } from "./config/operation.ts";
import { auth, interceptors, kill, limits, role, rule } from "./config/policy.ts";
import { bridge } from "./config/bridge.ts";
import { audit, sessions } from "./config/records.ts";
import { server } from "./config/server.ts";
import { name } from "./config/values.ts";

export const ConfigSchema = v.strictObject({
  version: key(v.optional(v.literal(1), 1), "Version of the file format, not of the product.", {
    example: "1",
    reload: "restart",
  }),
  server: key(v.optional(server, {}), "Where clients connect.", { reload: "restart" }),
  catalog: key(v.optional(catalog, {}), "What the combined tool list looks like.", {
    reload: "live",
  }),
  backends: key(v.optional(v.record(name, backend), {}), "The MCP servers behind the gateway.", {
    reload: "live",
  }),
  toolsets: key(
    v.optional(v.record(name, toolset), {}),
    "Named views of the catalog, served under <path>/<name>.",
    { reload: "live" },
  ),
  auth: key(v.optional(auth, {}), "Who may call.", { reload: "live" }),
  roles: key(
    v.optional(v.record(name, role), {}),
    'What each role sees and may call; "default" is for those no other role matches.',
    { reload: "live" },
  ),
  limits: key(v.optional(limits, {}), "How much.", { reload: "live" }),
  kill: key(
    v.optional(kill, {}),
    "Emergency off. Operators set switches of their own beside these, without a change of the file.",
    { reload: "live" },
  ),
  rules: key(v.optional(v.array(rule), []), "Rules, evaluated in order.", {
    reload: "live",
  }),
  interceptors: key(v.optional(interceptors, {}), "What looks at calls and results.", {
    reload: "live",
  }),
  audit: key(v.optional(audit, {}), "Record of everything.", { reload: "restart" }),
  sessions: key(v.optional(sessions, {}), "Sessions of clients.", { reload: "restart" }),
  bridge: key(v.optional(bridge, {}), "Clients without sessions, and what is between the eras.", {
    reload: "live",
  }),
  management: key(
    v.optional(management, {}),
    "Control plane: its own listener, its own tokens.",
    { reload: "restart" },
  ),
  telemetry: key(v.optional(telemetry, {}), "Log, metrics, traces.", { reload: "live" }),
  reload: key(v.optional(reload, {}), "How a changed file is taken up.", { reload: "live" }),
});

export type Config = v.InferOutput<typeof ConfigSchema>;
export type BackendConfig = Config["backends"][string];
export type CatalogConfig = Config["catalog"];
export type ToolsetConfig = Config["toolsets"][string];
