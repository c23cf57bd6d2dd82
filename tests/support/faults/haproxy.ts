/** A real haproxy before gateways, as an operator sets it up for a rolling restart. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onFreePort, removeFolder, ServerProcess } from "../server_process.ts";

const COMMAND = "haproxy";

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
   * Asks each gateway for `/ready` ten times a second.
   * @param ports Of gateways on loopback.
   * @throws Error when there is no haproxy on this machine, or it does not start
   */
  static async before(ports: readonly number[]): Promise<Haproxy> {
    if (spawnSync(COMMAND, ["-v"]).error !== undefined) {
      throw new Error(`Cannot find "${COMMAND}": install it (Debian: apt-get install haproxy)`);
    }
    const folder = mkdtempSync(join(tmpdir(), "sentinel-haproxy-"));
    try {
      return await onFreePort(async (port) => {
        const file = join(folder, "haproxy.cfg");
        writeFileSync(file, configOf(port, ports));
        const server = await ServerProcess.start({
          command: COMMAND,
          args: ["-db", "-V", "-f", file],
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

/**
 * A call goes to another gateway only when no byte of it was delivered (`conn-failure` with redispatch): what a
 * gateway may have begun is never sent again.
 */
function configOf(port: number, gateways: readonly number[]): string {
  const servers = gateways.map((gateway, number) =>
    `  server gateway-${number} 127.0.0.1:${gateway} check inter 100ms fastinter 100ms downinter 100ms fall 1 rise 1`
  );
  return `defaults
  mode http
  timeout connect 1s
  timeout client 5m
  timeout server 5m
  timeout check 1s
  retries 3
  option redispatch 1
  retry-on conn-failure

frontend clients
  bind 127.0.0.1:${port}
  default_backend gateways

backend gateways
  balance roundrobin
  option httpchk
  http-check send meth GET uri /ready ver HTTP/1.1 hdr Host localhost
  http-check expect status 200
${servers.join("\n")}
`;
}
