import type { Diff } from "../../src/contract/manage/mod.ts";
import { CHANGE_EFFECTS, type ConfigChange } from "../../src/contract/operations.ts";
import { confirm } from "../confirm.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { asFailure, connect } from "../management.ts";
import { finish } from "../operation.ts";
import { columns, counted, type Output } from "../output.ts";
import { show } from "../show.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";

interface ReloadRequest extends TargetRequest {
  readonly options: TargetOptions & { readonly yes?: true };
}

/** Reads the configuration anew and applies what changed. */
export async function reload(request: ReloadRequest): Promise<number> {
  const { io, output, options } = request;
  const { client, target, longWait } = await connect(request);
  await confirm({ io, options, target, act: "reload the configuration", always: false });
  const answer = await asFailure(() => client.request("reload", longWait));
  return finish({
    output,
    route: "reload",
    answer,
    done: `reloaded ${target.name}, configuration ${answer.hash}`,
    unchanged: `nothing changed; ${target.name} runs configuration ${answer.hash}`,
    undo: "put the file back as it was, then  mcp-sentinel reload",
    lines: ({ changes }) => changeLines(changes, output),
  });
}

/** Prints what a reload would change and interrupt; exit code 7 when it would, 3 for a wrong file. */
export async function diff(request: TargetRequest): Promise<number> {
  const { output } = request;
  const { client, wait } = await connect(request);
  const answer = await asFailure(() => client.request("diff", wait)).catch((thrown: unknown) => {
    if (!(thrown instanceof CommandFailed) || thrown.details.error !== "CONFIG_INVALID") {
      throw thrown;
    }
    throw new CommandFailed(EXIT.badConfig, thrown.message, thrown.hint, thrown.details);
  });
  show({ output, route: "diff", answer }, (shown) => diffLines(shown, output));
  return answer.changes.length === 0 ? EXIT.done : EXIT.different;
}

function diffLines(diff: Diff, output: Output): string[] {
  const { changes, starts, stops, reconnects, sessions, warnings, hash } = diff;
  const effects: (readonly [string, string])[] = [
    ["starts", starts.join(", ")],
    ["stops", stops.join(", ")],
    ["reconnects", reconnects.join(", ")],
    ["closes", sessions === 0 ? "" : counted(sessions, "session")],
  ];
  const known = effects.filter(([, text]) => text !== "");
  return [
    ...(changes.length === 0
      ? [`nothing would change; configuration ${hash}`]
      : changeLines(changes, output)),
    ...(known.length === 0 ? [] : ["", ...columns(known)]),
    ...warnings.map((warning) => `${output.paint("warning", "warning:")} ${warning}`),
  ];
}

const MARKS = { added: "+", removed: "-", changed: "~" } as const;

function changeLines(changes: readonly ConfigChange[], { paint }: Output): string[] {
  const rows = changes.map(({ path, change, before, after, effect }) => {
    const mark = effect === "restart" ? "!" : MARKS[change];
    const values = change === "changed"
      ? `${before ?? "…"} → ${after ?? "…"}`
      : after ?? before ?? "";
    return [`${mark} ${path}`, `${values}   ${paint("faint", CHANGE_EFFECTS[effect])}`] as const;
  });
  return columns(rows);
}
