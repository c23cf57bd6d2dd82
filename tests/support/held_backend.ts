/** A backend with a tool and a prompt that change, so that there is something to approve. */
import type { Control } from "../../src/core/mod.ts";
import { type ChangingBackend, startChangingBackend } from "./changing_backend.ts";

export interface HeldBackend {
  /** Its table in the configuration, with changes held. */
  readonly config: { readonly url: string; readonly on_change: "hold" };
  /** Changes the tool `t` and the prompt `p`, and waits until they are held; gives their hashes. */
  hold(control: Control, name: string): Promise<{ readonly tool: string; readonly prompt: string }>;
  close(): Promise<void>;
}

export async function startHeldBackend(): Promise<HeldBackend> {
  const backend = await startChangingBackend([]);
  offer(backend, "before");
  return {
    config: { url: backend.url, on_change: "hold" },
    hold: async (control, name) => {
      offer(backend, "afterwards");
      await control.reconnect(name, { actor: { name: "test" } });
      const hashOf = (wanted: string) =>
        control.capabilities().find(({ kind, backend: owner }) => kind === wanted && owner === name)
          ?.held?.hash ?? "";
      return { tool: hashOf("tool"), prompt: hashOf("prompt") };
    },
    close: () => backend.close(),
  };
}

function offer(backend: ChangingBackend, description: string): void {
  backend.tools = [{ name: "t", description, inputSchema: { type: "object" } }];
  backend.prompts = [{ name: "p", description }];
}
