/** Chooses and opens the wire a backend's configuration asks for. */
import {
  type BackendConfig,
  type BackendKind,
  type Era,
  SentinelError,
} from "../../contract/mod.ts";
import type { ChildExit, ChildLimits } from "../../ports/process.ts";
import { childEnvironment } from "./child_environment.ts";
import { openHttpSse } from "./http_sse_wire.ts";
import { openModernHttp } from "./http_modern_wire.ts";
import { openHttp } from "./http_wire.ts";
import { isShared } from "./instances.ts";
import type { BackendPorts } from "./ports.ts";
import { StderrRing } from "./stderr_ring.ts";
import { openStdioWire } from "./stdio_wire.ts";
import type { OpenWire } from "./wire.ts";

/** Lines of stderr that are kept for a look. */
const MAX_LINES = 200;

/** Which process ended, and whether it was told to. */
interface Ending {
  readonly main: boolean;
  readonly asked: boolean;
}

export class WireOpener {
  readonly #name: string;
  readonly #config: BackendConfig;
  readonly #ports: BackendPorts;
  readonly #stderr: StderrRing;
  #kind: BackendKind;
  #pid: number | undefined;
  #lastExit: ChildExit | undefined;
  #stopping = false;

  constructor(name: string, config: BackendConfig, ports: BackendPorts) {
    this.#name = name;
    this.#config = config;
    this.#ports = ports;
    const stderrLines = ports.telemetry.series("sentinel_backend_stderr_lines_total", {
      sentinel_backend: name,
    });
    this.#stderr = new StderrRing(ports.mask, (lines) => stderrLines.add(lines));
    this.#kind = kindOf(config);
  }

  get kind(): BackendKind {
    return this.#kind;
  }

  /** Process of the main link. */
  get pid(): number | undefined {
    return this.#pid;
  }

  get lastExit(): ChildExit | undefined {
    return this.#lastExit;
  }

  /** The era it is said to speak; undefined: it is to be asked. */
  get configuredEra(): Era | undefined {
    const { era, transport } = this.#config;
    if (this.#kind !== "stdio" && transport === "http_sse") return "legacy";
    return era === "auto" ? undefined : era;
  }

  /** Server requests can be attributed to a client at all: never on a process that all share. */
  get attributes(): boolean {
    return this.#kind !== "stdio" || !isShared(this.#config.instances);
  }

  /** Clients that can be asked may share a link: only where each call has a stream of its own. */
  get mayShare(): boolean {
    return this.#kind === "http";
  }

  /** From now on an exit is what was asked for. */
  stop(): void {
    this.#stopping = true;
  }

  stderrTail(lines: number): string[] {
    return this.#stderr.tail(lines);
  }

  logs(): { readonly lines: readonly string[]; readonly total: number } {
    return { lines: this.#stderr.tail(MAX_LINES), total: this.#stderr.lines };
  }

  /** True when the failure says that the other HTTP transport may work; it is used from now on. */
  fallBack(cause: unknown): boolean {
    const possible = this.#kind === "http" && this.#config.transport === "auto" &&
      cause instanceof SentinelError &&
      cause.details.more?.["fallback"] === "http_sse";
    if (possible) this.#kind = "http_sse";
    return possible;
  }

  /** What a connection has found out: there is no HTTP+SSE in the modern era. */
  speaks(era: Era): void {
    if (era === "modern" && this.#kind === "http_sse") this.#kind = "http";
  }

  /** @param main whether it is the backend's main wire, whose process the status shows */
  wire(main: boolean, era: Era): OpenWire {
    return this.#kind === "stdio" ? this.#stdio(main) : this.#http(era);
  }

  #http(era: Era): OpenWire {
    const { clock, random, http, mask, telemetry, memory } = this.#ports;
    const streams = telemetry.series("sentinel_streams_active", { kind: "backend_sse" });
    const { url = "", headers } = this.#config;
    const openLegacy = this.#kind === "http" ? openHttp : openHttpSse;
    const open = era === "modern" ? openModernHttp : openLegacy;
    return open({
      backend: this.#name,
      url: new URL(url),
      headers,
      http,
      clock,
      random,
      mask,
      streams,
      listens: memory === undefined,
    });
  }

  #stdio(main: boolean): OpenWire {
    const { spawner, clock } = this.#ports;
    if (spawner === undefined) {
      throw new SentinelError("BACKEND_LOST", "Cannot start a process on this host", {
        backend: this.#name,
        executed: "no",
      });
    }
    const { command = "", args, cwd, stop, limits } = this.#config;
    return openStdioWire({
      spawner,
      spawn: {
        name: this.#name,
        command,
        args,
        env: childEnvironment(this.#config, spawner),
        ...(cwd === undefined ? {} : { cwd }),
        limits: childLimits(limits),
      },
      clock,
      stderr: this.#stderr,
      maxLineBytes: limits.output_line,
      graceMs: stop.grace,
      onStart: (pid) => {
        if (main) this.#pid = pid;
      },
      onExit: (exit, asked) => this.#exited(exit, { main, asked }),
    });
  }

  #exited(exit: ChildExit, { main, asked }: Ending): void {
    if (main) {
      this.#pid = undefined;
      this.#lastExit = exit;
    }
    const { exceeded, ...ended } = exit;
    const { log } = this.#ports;
    const backend = this.#name;
    if (exceeded !== undefined) log.write("backend.limit_exceeded", { backend, ...exceeded });
    if (asked || this.#stopping) return;
    log.write("backend.exited", { backend, ...ended, stderr: this.#stderr.tail(1).join("") });
  }
}

function childLimits(
  { memory, descriptors, processes }: BackendConfig["limits"],
): ChildLimits {
  return {
    descriptors,
    ...(memory === undefined ? {} : { memory }),
    ...(processes === undefined ? {} : { processes }),
  };
}

function kindOf({ url, transport }: BackendConfig): BackendKind {
  if (url === undefined) return "stdio";
  return transport === "http_sse" ? "http_sse" : "http";
}
