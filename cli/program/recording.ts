import { Option } from "@commander-js/extra-typings";
import { envFileOption, filterOption, limitOption, wideOption, withTarget } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `audit`: what was done, by whom. */
export function addAudit(program: Root, context: Context): void {
  const noun = program.command("audit")
    .description("the record of calls and acts; -c FILE reads the store of a configuration")
    .helpCommand(false);
  withTarget(
    noun.command("search").description("rows that match, newest first, at most 100 without --limit")
      .argument("[filter...]", "such as  tool:gh__*  status:error  user:*anna")
      .addOption(sinceOption()).addOption(untilOption())
      .addOption(filterOption()).addOption(limitOption()).addOption(orderOption())
      .addOption(wideOption()),
  ).action((terms, _options, command) =>
    handle(context, command, async (given) => {
      const { searchAudit } = await import("../commands/audit.ts");
      return await searchAudit({ ...given, terms });
    })
  );
  withTarget(
    noun.command("tail").description("rows as they come, until Ctrl-C")
      .argument("[filter...]", "such as  kind:call  -outcome:ok")
      .addOption(filterOption()),
  ).action((terms, _options, command) =>
    handle(context, command, async (given) => {
      const { tailAudit } = await import("../commands/audit_tail.ts");
      return await tailAudit({ ...given, terms });
    })
  );
  withTarget(
    noun.command("export").description("one JSON object for each call and line, oldest first")
      .option("--all", "also operations, refusals, starts and gaps")
      .addOption(sinceOption()).addOption(untilOption()).addOption(filterOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => {
      const { exportAudit } = await import("../commands/audit_export.ts");
      return await exportAudit(given);
    })
  );
  withTarget(
    noun.command("verify")
      .description("recompute the chain; exit 1 when rows are missing, changed or added"),
  ).action((_options, command) =>
    handle(context, command, async (given) => {
      const { verifyAudit } = await import("../commands/audit_verify.ts");
      return await verifyAudit(given);
    })
  );
}

/** `token`: who may call. */
export function addToken(program: Root, context: Context): void {
  const noun = program.command("token").description("tokens for development and for operators")
    .helpCommand(false);
  noun.command("new")
    .description("sign a token with the secret of an [[auth.jwt]] entry, for development")
    .option("--issuer <issuer>", "which entry, when several have a secret")
    .option("--subject <name>", "who the token is for", "dev")
    .option("--role <name...>", "roles it carries")
    .option("--expires <duration>", "how long it is valid", "1h")
    .option(
      "--claim <name=value>",
      "another claim; the value may be JSON; may be repeated",
      collect,
      [],
    )
    .option("--management", "instead a random token for the management API")
    .option("--name <name>", "with --management: who uses it", "cli")
    .addOption(scopeOption())
    .addOption(envFileOption())
    .action((_options, command) =>
      handle(context, command, async (given) => {
        const { newToken } = await import("../commands/token.ts");
        return await newToken(given);
      })
    );
}

function sinceOption() {
  return new Option("--since <time>", "began at that time or later, such as 1h or 2026-11-20");
}

function untilOption() {
  return new Option("--until <time>", "began before that time");
}

function orderOption() {
  return new Option("--order <order>", "what comes first").choices(["newest", "oldest"] as const);
}

function scopeOption() {
  return new Option("--scope <scope>", "with --management: what it may do")
    .choices(["read", "admin"] as const).default("admin" as const);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
