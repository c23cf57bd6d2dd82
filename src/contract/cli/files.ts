/** What `--json` prints of commands that work on files of this machine. */
import * as v from "valibot";
import { amount, count, flag, list, text } from "../describe.ts";

/** A key that was left out and one that is undefined look the same in JSON. */
const absent = v.optional;

/** A mistake of a configuration. */
const Issue = v.object({
  code: text("Stable name of the kind of mistake."),
  file: text("File, or the variable or option that the value came from."),
  line: count("From 1; 0 when the value does not stand in the file."),
  column: count("From 1; 0 when the value does not stand in the file."),
  endColumn: count("First column after the place."),
  path: text("Key, such as `backends.n8n.timeout`."),
  message: text("What is wrong."),
  hint: text("What to do about it; may be empty."),
});

export const ConfigCheckOutput = v.object({
  file: text("File that was checked."),
  valid: flag("Whether it can be used."),
  items: list(Issue, "What is wrong with it, in the order of the file."),
  notices: list(v.string(), "What is accepted but has no effect yet."),
  warnings: list(v.string(), "What works but should be looked after."),
});

export const ConfigOutput = v.object({
  file: text("File it came from."),
  config: v.pipe(
    v.record(v.string(), v.unknown()),
    v.description("In force: defaults filled in, secrets replaced, spelled as in the file."),
  ),
});

export const ConfigPathOutput = v.object({
  file: v.pipe(v.nullable(v.string()), v.description("File in use; null when there is none.")),
  searched: list(v.nullish(v.string()), "Where it is looked for, in order."),
});

export const ConfigKeyOutput = v.object({
  key: text("Key; `*` stands for any name."),
  about: text("What it means."),
  type: text("In words, such as `duration`."),
  required: flag("Whether a file without it is refused."),
  default: absent(text("TOML; missing when there is none.")),
  example: absent(text("TOML.")),
  reload: v.pipe(
    v.picklist(["live", "reconnect", "restart"]),
    v.description("What a change takes: a reload, new connections of that backend, a new start."),
  ),
  effect: flag("False when it does nothing in this version."),
  secret: flag("Whether it has to be a reference."),
  variable: absent(text("Environment variable that wins over the file.")),
  keys: list(
    v.object({ key: text("Name."), about: text("What it means.") }),
    "Keys of a table; empty for everything else.",
  ),
  value: absent(text("In force, TOML; missing for keys of many values.")),
  source: absent(text("Option, variable, file or `default` that it came from.")),
});

export const InitOutput = v.object({ file: text("File that was written.") });

export const TokenOutput = v.object({
  token: text("Signed; it is a secret."),
  issuer: text("Value of `iss`."),
  audience: text("Value of `aud`."),
  subject: text("Value of `sub`."),
  roles: list(v.string(), "Roles it carries."),
  expires: text("When it ends, ISO 8601."),
});

export const ManagementTokenOutput = v.object({
  token: text("256 random bits; it is a secret."),
  name: text("Who uses it."),
  scope: v.pipe(v.picklist(["read", "admin"]), v.description("What it may do.")),
  variable: text("Variable of the gateway that is to hold it."),
});

export const ProfileListOutput = v.object({
  items: list(
    v.object({
      name: text("Of the profile, or of a gateway that runs on this machine."),
      url: text("Address of its management API."),
      from: v.pipe(v.picklist(["profile", "local"]), v.description("How it is known.")),
      isCurrent: flag("Whether commands talk to it that name none."),
      production: flag("Whether every change asks for its name."),
      token: absent(text("Reference to the token, never the token.")),
    }),
    "Profiles in the order of their file, then gateways on this machine.",
  ),
});

export const ProfileOutput = v.object({
  name: v.pipe(
    v.nullable(v.string()),
    v.description("Profile that was added, chosen or removed; null: the gateway on this machine."),
  ),
  url: absent(text("Address of its management API.")),
});

export const ProfileTestOutput = v.object({
  name: text("Of the profile."),
  url: text("Address of its management API."),
  gateway: text("What it calls itself."),
  state: text("Its state."),
  version: text("Its version."),
  scope: absent(text("What the token may do.")),
  latencyMs: amount("From the request to the answer."),
});

export const VersionOutput = v.object({
  version: text("Of mcp-sentinel."),
  runtime: text("What it runs on, such as `node 24.21.0`."),
  platform: text("Operating system and processor."),
});

export const ServerOutput = v.object({
  url: text("Endpoint for MCP clients."),
  management: absent(text("Base URL of the management API; missing when nothing listens.")),
  file: text("Configuration."),
});

export const UpOutput = v.object({
  version: text("Of mcp-sentinel."),
  url: text("Endpoint for MCP clients."),
  management: absent(text("Base URL of the management API; missing when nothing listens.")),
  file: absent(text("Configuration; missing when there is none.")),
  backends: list(v.string(), "Backends that are started."),
});

export const ErrorOutput = v.object({
  code: count("Exit code."),
  message: text("What happened."),
  hint: text("What to do about it; may be empty."),
  error: absent(text("Stable name of the gateway's error table.")),
  reason: absent(text("More about why.")),
  request: absent(text("UUIDv7 of the request; the same in the gateway's log and journal.")),
  retryAfterMs: absent(count("When to try again.")),
  issues: absent(
    list(v.record(v.string(), v.unknown()), "Mistakes of a configuration the gateway has read."),
  ),
  items: absent(list(Issue, "Mistakes of a configuration this command has read.")),
});
