import { confirm } from "../confirm.ts";
import { asFailure, connect } from "../management.ts";
import { finish } from "../operation.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";

interface ShutdownRequest extends TargetRequest {
  readonly options: TargetOptions & { readonly yes?: true };
}

/** Asks the gateway to drain and stop; returns when it has begun. */
export async function shutdown(request: ShutdownRequest): Promise<number> {
  const { io, output, options } = request;
  const { client, target, wait } = await connect(request);
  await confirm({ io, options, target, act: "drain and stop the gateway", always: true });
  const answer = await asFailure(() => client.request("shutdown", wait));
  return finish({
    output,
    route: "shutdown",
    answer,
    done: `${target.name} drains and stops`,
    unchanged: `${target.name} is stopping already`,
    undo: "start it again where it ran:  mcp-sentinel server",
  });
}
