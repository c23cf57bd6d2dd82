/** A real haproxy before gateways, as an operator sets it up for a rolling restart. */
import { spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY } from "../runtime.ts";
import { onFreePort, removeFolder, ServerProcess } from "../server_process.ts";

const COMMAND = "haproxy";
/** What operators start from. */
const FILE = join(REPOSITORY, "deploy", "haproxy.cfg");

/** Must be ended with `stop`. */
export class Haproxy {
  readonly url: URL;
  readonly #server: ServerProcess;
  readonly #folder: string;

  private constructor(port: number, server: ServerProcess, folder: string) {
    this.url = new URL(`http://127.0.0.1:${port}/mcp`);
    this.#server = server;
    this.#folder = folder;
  }

  /**
   * Sees within a second that a gateway comes or leaves.
   * @param ports of two gateways on loopback
   * @throws Error when there is no haproxy on this machine, or it does not start
   */
  static async before(ports: readonly [number, number]): Promise<Haproxy> {
    if (spawnSync(COMMAND, ["-v"]).error !== undefined) {
      throw new Error(`Cannot find "${COMMAND}": install it (Debian: apt-get install haproxy)`);
    }
    const folder = mkdtempSync(join(tmpdir(), "sentinel-haproxy-"));
    try {
      return await onFreePort(async (port) => {
        const addresses = ports.map((own, at) => `GATEWAY_${at + 1}=127.0.0.1:${own}`);
        const server = await ServerProcess.start({
          command: "env",
          args: [`CLIENTS=127.0.0.1:${port}`, ...addresses, COMMAND, "-db", "-V", "-f", FILE],
          ready: /Loading success|New worker|Available polling systems/i,
          folder,
          stopSignal: "SIGTERM",
        });
        return new Haproxy(port, server, folder);
      });
    } catch (cause) {
      removeFolder(folder);
      throw cause;
    }
  }

  get output(): string {
    return this.#server.output;
  }

  async stop(): Promise<void> {
    await this.#server.kill();
    removeFolder(this.#folder);
  }
}
