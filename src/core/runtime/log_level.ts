/** The log's level: that of the configuration, or for a while another. */
import type { Severity } from "../../contract/mod.ts";
import type { Cancel, Clock } from "../../ports/clock.ts";
import type { Log, LogLevels } from "../../ports/log.ts";

export class LogLevel {
  readonly #levels: LogLevels;
  readonly #clock: Clock;
  readonly #log: Log;
  #configured: Severity;
  #until: number | undefined;
  #cancel: Cancel = () => {};

  constructor(levels: LogLevels, clock: Clock, log: Log) {
    this.#levels = levels;
    this.#clock = clock;
    this.#log = log;
    this.#configured = levels.level;
  }

  get level(): Severity {
    return this.#levels.level;
  }

  /** ISO 8601; undefined while the configured level holds. */
  get until(): string | undefined {
    return this.#until === undefined ? undefined : new Date(this.#until).toISOString();
  }

  /** The configuration's level has changed; one that was set for a while stays for its while. */
  configure(level: Severity): void {
    if (level === this.#configured) return;
    this.#configured = level;
    if (this.#until === undefined) this.#set(level);
  }

  /** Another level for some minutes. */
  override(level: Severity, minutes: number): void {
    this.#cancel();
    const ms = minutes * 60_000;
    this.#until = this.#clock.now() + ms;
    this.#cancel = this.#clock.after(ms, () => this.#restore());
    this.#set(level);
  }

  stop(): void {
    this.#cancel();
  }

  #restore(): void {
    this.#until = undefined;
    this.#set(this.#configured);
  }

  #set(level: Severity): void {
    this.#levels.setLevel(level);
    this.#log.write("log.level_changed", { level, until: this.until });
  }
}
