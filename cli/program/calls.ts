import { filterOption, withTarget } from "./options.ts";
import { type Context, handle, type Root } from "./root.ts";

/** `calls`: what clients ask for. */
export function addCalls(program: Root, context: Context): void {
  const load = () => import("../commands/calls.ts");
  const noun = program.command("calls").description("calls of clients").helpCommand(false);
  withTarget(
    noun.command("tail").description("as they end, until Ctrl-C; no arguments, no results")
      .argument("[filter...]", "such as  tool:gh__*  -outcome:ok")
      .addOption(filterOption()),
  ).action((terms, _options, command) =>
    handle(context, command, async (given) => await (await load()).tailCalls({ ...given, terms }))
  );
  withTarget(
    noun.command("show")
      .description("one as the audit has it; -c FILE reads the store of a configuration")
      .argument("<request>", "id of the request, or its beginning"),
  ).action((id, _options, command) =>
    handle(context, command, async (given) => await (await load()).showCall({ ...given, id }))
  );
}
