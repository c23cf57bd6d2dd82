import { Argument } from "@commander-js/extra-typings";
import {
  filterOption,
  limitOption,
  reasonOption,
  wideOption,
  withTarget,
  yesOption,
} from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `kill`, `reload`, `diff`, `shutdown`: acts on a whole gateway. */
export function addActing(program: Root, context: Context): void {
  addKill(program, context);
  addReload(program, context);
  withTarget(
    program.command("shutdown").description("drain and stop, where the gateway allows it")
      .addOption(yesOption()),
  ).action((_options, command) =>
    handle(
      context,
      command,
      async (given) => await (await import("../commands/shutdown.ts")).shutdown(given),
    )
  );
}

function addKill(program: Root, context: Context): void {
  const load = () => import("../commands/kill.ts");
  const noun = program.command("kill").description("switches that end calls at once")
    .helpCommand(false);
  withTarget(
    noun.command("list").alias("ls").description("what is set, by whom and why")
      .addOption(filterOption()).addOption(limitOption()).addOption(wideOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).listKills(given))
  );
  withTarget(
    noun.command("tool").description("refuse calls to a tool, or to all that match a pattern")
      .argument("<name>", "exposed name; * stands for anything")
      .addOption(reasonOption()).addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await load()).kill({ ...given, kind: "tool", name }),
    )
  );
  withTarget(
    noun.command("backend").description("refuse calls to everything of a backend")
      .argument("<name>", "name in the configuration")
      .addOption(reasonOption()).addOption(yesOption()),
  ).action((name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await load()).kill({ ...given, kind: "backend", name }),
    )
  );
  withTarget(
    noun.command("clear").description("let calls through again")
      .addArgument(kindArgument()).argument("<name>", "as in `kill list`")
      .addOption(yesOption()),
  ).action((kind, name, _options, command) =>
    handle(
      context,
      command,
      async (given) => await (await load()).clearKill({ ...given, kind, name }),
    )
  );
}

function addReload(program: Root, context: Context): void {
  const load = () => import("../commands/reload.ts");
  withTarget(
    program.command("reload").description("read the configuration anew and apply what changed")
      .addOption(yesOption()),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).reload(given))
  );
  withTarget(
    program.command("diff")
      .description("what a reload would change and interrupt; exit 7 when something"),
  ).action((_options, command) =>
    handle(context, command, async (given) => await (await load()).diff(given))
  );
}

function kindArgument() {
  return new Argument("<kind>", "what the switch is for").choices(["tool", "backend"] as const);
}
