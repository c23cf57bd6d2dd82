/** Traces and metrics for a collector: nothing of it is loaded before the gateway listens, or when nobody wants it. */
import process from "node:process";
import type { Config } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log } from "../../ports/log.ts";
import type { Tracer, Tracing } from "../../ports/tracing.ts";
import type { Registry } from "../../telemetry/registry.ts";

/** What is left is sent within this time when the gateway stops. */
const FLUSH_MS = 2000;

export interface OtelOptions {
  readonly clock: Clock;
  readonly log: Log;
  readonly registry: Registry;
  /** Replaces known secrets in a text. */
  readonly mask: (text: string) => string;
  readonly instance: string;
}

/** What was started. */
export interface Started {
  readonly tracer: Tracer | undefined;
  /** Sends what is left; never rejects. */
  close(limitMs: number): Promise<void>;
}

export class Otel implements Tracing {
  tracer: Tracer | undefined = undefined;
  readonly #options: OtelOptions;
  #starting: Promise<Started | undefined> | undefined;

  constructor(options: OtelOptions) {
    this.#options = options;
  }

  /**
   * Loads what the configuration asks for; calls of before have no spans. Never throws: a gateway without traces
   * is better than none.
   * @param config the one in force, asked each time
   */
  start(config: () => Config): void {
    const { traces, metrics } = config().telemetry;
    const isWanted = traces.otlp !== "" || metrics.otlp !== "";
    if (!isWanted && !hasRuntimeOtel()) return;
    this.#starting = this.#load(config).then((started) => {
      this.tracer = started.tracer;
      return started;
    }).catch((cause: unknown) => {
      const reason = `cannot load OpenTelemetry: ${String(cause)}`;
      this.#options.log.write("telemetry.failed", { signal: "traces", reason });
      return undefined;
    });
  }

  /** Within two seconds, whatever the collector does. */
  async close(): Promise<void> {
    let cancel: Cancel = () => {};
    const late = new Promise<void>((resolve) => {
      cancel = this.#options.clock.after(FLUSH_MS, resolve);
    });
    const closed = this.#starting?.then((started) => started?.close(FLUSH_MS));
    await Promise.race([closed, late]);
    this.tracer = undefined;
    cancel();
  }

  /** The API and the SDK take some 100 ms to load. */
  async #load(config: () => Config): Promise<Started> {
    if (hasRuntimeOtel()) return (await import("./runtime.ts")).useRuntime(this.#options);
    return (await import("./sdk.ts")).startSdk(this.#options, config);
  }
}

/** Deno exports by itself when it is told to: a second exporter would send everything twice. */
function hasRuntimeOtel(): boolean {
  if (!("Deno" in globalThis)) return false;
  try {
    return ["true", "1"].includes(process.env["OTEL_DENO"] ?? "");
  } catch {
    // It may not read the variable: then nobody has told it to export.
    return false;
  }
}
