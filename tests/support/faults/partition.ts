/** A network that swallows packets: rules of nftables for one port of loopback. Needs root. */
import { spawnSync } from "node:child_process";
import process from "node:process";

let last = 0;

export class Partition implements Disposable {
  readonly #table: string;

  private constructor(table: string) {
    this.#table = table;
  }

  /** Why this machine cannot; undefined when it can. */
  static get impossible(): string | undefined {
    if (process.getuid?.() !== 0) return "only root may change the packet filter";
    const { error, status, stderr } = spawnSync("nft", ["list", "tables"], { encoding: "utf8" });
    if (error !== undefined) return `no nft: ${error.message}`;
    return status === 0 ? undefined : `nft: ${stderr}`;
  }

  /**
   * Swallows every packet to and from a TCP port from now on; connections there are know nothing of it. Ends with
   * its disposal.
   * @throws Error when the machine does not let us
   */
  static of(port: number): Partition {
    const table = `sentinel_${process.pid}_${++last}`;
    const rules = `table inet ${table} {
  chain swallow {
    type filter hook output priority 0; policy accept;
    tcp dport ${port} drop
    tcp sport ${port} drop
  }
}`;
    nft(["-f", "-"], rules);
    return new Partition(table);
  }

  [Symbol.dispose](): void {
    nft(["delete", "table", "inet", this.#table]);
  }
}

function nft(args: readonly string[], input = ""): void {
  const { error, status, stderr } = spawnSync("nft", [...args], { input, encoding: "utf8" });
  if (error !== undefined || status !== 0) {
    throw new Error(`Cannot change the packet filter: ${error?.message ?? stderr}`);
  }
}
