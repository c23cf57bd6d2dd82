/** What `--json` prints of `import`. */
import * as v from "valibot";
import { flag, list, maybe, oneOf, text } from "../describe.ts";

const Source = v.object({
  client: maybe(text("Client whose file it is; missing for a file that was named.")),
  file: text("File, `~` for the home folder; `stdin`."),
  name: text("Name of the entry there."),
});

const Server = v.object({
  name: text("Name of the backend."),
  status: oneOf(["new", "present"], "`present`: the configuration has it already."),
  kind: maybe(oneOf(["command", "url"], "How it is reached; missing for one that is present.")),
  sources: list(Source, "Every entry that says the same; the first one counts."),
  needs: list(v.string(), "Variables that have to be set before it can be started."),
});

const Toolset = v.object({
  name: text("Name of the toolset."),
  tools: list(v.string(), "Tools it shows, by exposed name."),
});

const File = v.object({
  client: maybe(text("Client whose file it is.")),
  file: text("File, `~` for the home folder; `stdin`."),
  servers: list(v.string(), "Names of the backends its entries became, in its order."),
  problem: maybe(text("Why nothing was read: `line:column: …` for a mistake in it.")),
});

const NOTES = [
  "secret_moved",
  "variable_needed",
  "left_out",
  "changed",
  "workspace",
  "skipped",
  "unreadable",
  "not_carried",
] as const;

const Note = v.object({
  code: oneOf(NOTES, "What kind of note it is."),
  about: text("Backend, file or kind of thing."),
  text: text("For people; holds no credential."),
});

export const ImportOutput = v.object({
  file: text("Configuration it is for."),
  written: flag("False: a dry run, or there was nothing to write."),
  toml: maybe(text("What is added; missing when there is nothing.")),
  items: list(Server, "Servers that were found, each once."),
  toolsets: list(Toolset, "Toolsets, of an export of ContextForge."),
  files: list(File, "Files that were read."),
  notes: list(Note, "What was changed, left out, or has to be done."),
  variables: list(
    v.string(),
    "Variables in `sentinel.env` that took the place of literal credentials.",
  ),
});
