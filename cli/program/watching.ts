import type { CommandUnknownOpts } from "@commander-js/extra-typings";
import { argumentsOption } from "./asking.ts";
import {
  filterOption,
  limitOption,
  reasonOption,
  wideOption,
  withTarget,
  yesOption,
} from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `status`, `backends`, `tools`, `events`, `sessions`, `limits`: what a gateway is doing. */
export function addWatching(program: Root, context: Context): void {
  program.commandsGroup("Operate:");
  addStatus(program, context);
  addBackends(program, context);
  addTools(program, context);
  addEvents(program, context);
  addSessions(program, context);
  addLimits(program, context);
}

function addStatus(program: Root, context: Context): void {
  const load = () => import("../commands/status.ts");
  withTarget(
    program.command("status")
      .description("one screen about a gateway; exit 6 when it is not ready")
      .option("-w, --watch", "again every 2 s, until Ctrl-C")
      .addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).status(given))
  );
}

function addBackends(program: Root, context: Context): void {
  const load = () => import("../commands/backends.ts");
  const noun = program.command("backends").description("MCP servers behind a gateway")
    .helpCommand(false);
  withTarget(
    noun.command("list").alias("ls").description("all of them, worst first")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listBackends(given))
  );
  withTarget(
    noun.command("show").description("one with its state, last error and stderr")
      .argument("<name>", "name in the configuration"),
  ).action((name, _options, command) =>
    handle(context, command, async (given) => await (await load()).showBackend({ ...given, name }))
  );
  withTarget(
    noun.command("logs").description("the last stderr lines of one")
      .argument("<name>", "name in the configuration"),
  ).action((name, _options, command) =>
    handle(context, command, async (given) => await (await load()).backendLogs({ ...given, name }))
  );
  withTarget(
    noun.command("reconnect").description("make its connections anew, and wait for it")
      .argument("<name>", "name in the configuration").addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(context, command, async (given) => await (await load()).reconnect({ ...given, name }))
  );
  addSwitching(noun, context, "backend");
}

/** `enable`, `disable`: kill switches by the names people look for. */
function addSwitching(
  noun: CommandUnknownOpts,
  context: Context,
  kind: "backend" | "tool",
): void {
  const load = () => import("../commands/kill.ts");
  const about = kind === "tool"
    ? "exposed name; * stands for anything"
    : "name in the configuration";
  withTarget(
    noun.command("disable").description("set a kill switch: calls to it are refused at once")
      .argument("<name>", about).addOption(reasonOption()).addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await load()).kill({ ...given, kind, name, words: "disable" }),
    )
  );
  withTarget(
    noun.command("enable").description("clear its kill switch: calls go through again")
      .argument("<name>", about).addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await load()).clearKill({ ...given, kind, name, words: "disable" }),
    )
  );
}

function addTools(program: Root, context: Context): void {
  const load = () => import("../commands/tools.ts");
  const noun = program.command("tools").description("tools of the catalog").helpCommand(false);
  withTarget(
    noun.command("list").alias("ls").description("all of them, sorted by name")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listTools(given))
  );
  withTarget(
    noun.command("show").description("one with its definition").argument("<name>", "exposed name"),
  ).action((name, _options, command) =>
    handle(context, command, async (given) => await (await load()).showTool({ ...given, name }))
  );
  withTarget(
    noun.command("approve").description("let one be used whose changed definition is held")
      .argument("<name>", "exposed name")
      .option("--prompt", "it is a prompt, not a tool")
      .option("--hash <sha256>", "the definition that was looked at, where nobody is here to ask")
      .addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await import("../commands/approve.ts")).approve({ ...given, name }),
    )
  );
  addToolCall(noun, context);
  addSwitching(noun, context, "tool");
}

function addToolCall(noun: CommandUnknownOpts, context: Context): void {
  withTarget(
    noun.command("call").description("call one through the gateway; exit 1 when it says it failed")
      .argument("<name>", "exposed name")
      .argument("[arguments...]", "name=value; the value may be JSON")
      .addOption(argumentsOption())
      .option("--url <url>", "endpoint for MCP clients, instead of what the gateway says")
      .option(
        "--token-env <name>",
        "variable that holds the client's token (default: SENTINEL_TOKEN)",
      )
      .option("--token-file <file>", "file that holds the client's token"),
  ).action((name, pairs, _options, command) =>
    handle(context, command, async (given) => {
      const { callTool } = await import("../commands/tools_call.ts");
      return await callTool({ ...given, name, pairs });
    })
  );
}

function addEvents(program: Root, context: Context): void {
  const load = () => import("../commands/events.ts");
  const noun = program.command("events").description("what happened").helpCommand(false);
  withTarget(
    noun.command("tail").description("as it happens, until Ctrl-C")
      .option("--after <cursor>", "begin after this event; 0: with the oldest kept (default: now)")
      .addOption(filterOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).tailEvents(given))
  );
  withTarget(
    noun.command("list").alias("ls").description("what is kept, oldest first")
      .option("--after <cursor>", "begin after this event")
      .addOption(filterOption()).addOption(limitOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listEvents(given))
  );
}

function addSessions(program: Root, context: Context): void {
  const load = () => import("../commands/sessions.ts");
  const noun = program.command("sessions").description("open sessions of clients")
    .helpCommand(false);
  withTarget(
    noun.command("list").alias("ls").description("all of them, oldest first")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listSessions(given))
  );
  withTarget(
    noun.command("show").description("one with its connections")
      .argument("<id>", "as in `sessions list`"),
  ).action((id, _options, command) =>
    handle(context, command, async (given) => await (await load()).showSession({ ...given, id }))
  );
  withTarget(
    noun.command("close").description("end one; its client has to initialize again")
      .argument("<id>", "as in `sessions list`").addOption(yesOption()),
  ).action((id, _options, command) =>
    handle(context, command, async (given) => await (await load()).closeSession({ ...given, id }))
  );
}

function addLimits(program: Root, context: Context): void {
  const load = () => import("../commands/limits.ts");
  const noun = program.command("limits").description("rate limits in use").helpCommand(false);
  withTarget(
    noun.command("list").alias("ls").description("all of them, oldest first")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listLimits(given))
  );
  withTarget(
    noun.command("top").description("those that refused most, at most 20 without --limit")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).topLimits(given))
  );
}
