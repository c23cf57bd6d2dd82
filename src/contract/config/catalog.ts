import * as v from "valibot";
import { REACTIONS } from "../definitions.ts";
import { key } from "./key.ts";
import { oneOf, patterns } from "./values.ts";

const separator = v.pipe(
  v.string(),
  v.metadata({ noun: "separator" }),
  v.regex(/^[A-Za-z0-9_./-]{1,8}$/, "use 1 to 8 of the characters a-z A-Z 0-9 _ - . /"),
);

const nameLength = v.pipe(
  v.number(),
  v.metadata({ noun: "length" }),
  v.integer("use a whole number"),
  v.minValue(16, "use at least 16"),
  v.maxValue(128, "use at most 128"),
);

const clientPrefix = v.pipe(
  v.string(),
  v.metadata({ noun: "prefix" }),
  v.regex(/^([^{}]|\{server\})*$/, "the only placeholder is {server}"),
  v.maxLength(64, "use at most 64 characters"),
);

export const catalog = v.strictObject({
  prefix: key(
    v.optional(oneOf("prefix mode", ["always", "never"]), "always"),
    'Whether names carry the backend\'s alias: "always" gives github__search, "never" refuses clashes.',
    { example: '"never"', reload: "live" },
  ),
  separator: key(v.optional(separator, "__"), "Stands between alias and name.", {
    example: '"-"',
    reload: "live",
  }),
  max_name_length: key(
    v.optional(nameLength, 64),
    "Longest name as exposed; longer ones are cut and get a short hash.",
    { example: "64", reload: "live" },
  ),
  client_prefix: key(
    v.optional(clientPrefix, "mcp__{server}__"),
    'What clients put before a name; names that grow too long with it are reported. "" ignores it.',
    { example: '""', reload: "live" },
  ),
  sanitize: key(
    v.optional(v.boolean(), true),
    "Map characters outside A-Z a-z 0-9 _ - to _ for clients, and back for backends.",
    { example: "false", reload: "live" },
  ),
  validate_arguments: key(
    v.optional(v.boolean(), true),
    "Check arguments against the tool's own input schema before they are forwarded.",
    { example: "false", reload: "live" },
  ),
  validation_error: key(
    v.optional(oneOf("kind of error", ["auto", "result", "protocol"]), "auto"),
    'How wrong arguments are answered: "auto" follows the client\'s revision.',
    { example: '"result"', reload: "live" },
  ),
  on_change: key(
    v.optional(oneOf("reaction", REACTIONS), "warn"),
    "What a changed definition of a tool or prompt causes; what is held waits for an approval.",
    { example: '"hold"', reload: "live" },
  ),
});

export const toolset = v.strictObject({
  tools: key(v.optional(patterns, ["*"]), "Tools of the view, by exposed name.", {
    example: '["gh__*"]',
    reload: "live",
  }),
  prompts: key(v.optional(patterns, ["*"]), "Prompts of the view, by exposed name.", {
    example: '["*"]',
    reload: "live",
  }),
  resources: key(v.optional(patterns, ["*"]), "Resources of the view, by URI.", {
    example: '["repo://*"]',
    reload: "live",
  }),
  deny: key(v.optional(patterns, []), "Left out of the view; wins over everything above.", {
    example: '["gh__delete_*"]',
    reload: "live",
  }),
});
