import { confirm } from "../confirm.ts";
import { heldLines } from "../definition_lines.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { asFailure, asNamed, connect } from "../management.ts";
import { finish } from "../operation.ts";
import { namesOf } from "../show.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { visible, visibleCopy } from "../text.ts";

interface ApproveRequest extends TargetRequest {
  readonly options: TargetOptions & {
    readonly yes?: true;
    readonly prompt?: true;
    /** SHA-256 of the definition that was looked at elsewhere. */
    readonly hash?: string;
  };
  readonly name: string;
}

/**
 * Lets a held tool or prompt be used again, as it was shown here or as `--hash` names it: what changed
 * meanwhile is not approved.
 */
export async function approve(request: ApproveRequest): Promise<number> {
  const { io, output, options, name } = request;
  const connection = await connect(request);
  const { client, target, wait } = connection;
  const kind = options.prompt === true ? "prompt" : "tool";
  const filter = `kind:${kind}`;
  const names = () => namesOf(client.all("capabilities", { query: { filter } }));
  const { held, backend } = await asNamed(
    name,
    names,
    () => client.request("capability", { params: { kind, name }, ...wait }),
  );
  const what = `${kind} ${visible(name)}`;
  if (held === undefined) {
    throw new CommandFailed(EXIT.failed, `${what} is not held`, "mcp-sentinel tools list");
  }
  if (io.ask === undefined && options.yes !== true && options.hash === undefined) {
    const hint = `look at it with mcp-sentinel tools show, then add --hash ${held.hash}`;
    throw new CommandFailed(EXIT.usage, "nobody is here to look at the change", hint);
  }
  if (!output.isJson) { for (const line of heldLines(visibleCopy({ held }))) output.note(line); }
  await confirm({ io, options, target, act: `approve ${what} as shown`, always: true });
  const body = { hash: options.hash ?? held.hash };
  const route = kind === "tool" ? "approve" : "approvePrompt";
  const answer = await asFailure(() => client.request(route, { params: { name }, body, ...wait }));
  return finish({
    output,
    route,
    answer,
    done: `approved ${what} on ${target.name}`,
    unchanged: `${what} is approved already`,
    undo: kind === "tool"
      ? `mcp-sentinel kill tool ${visible(name)} --reason "…"`
      : `mcp-sentinel kill backend ${backend} --reason "…"`,
    lines: ({ hash }) => [`  sha256 ${hash}`],
  });
}
