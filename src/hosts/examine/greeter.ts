/** Greets backends as the gateway does: its own links, handshake and lists, then the end of it all. */
import { setTimeout as pause } from "node:timers/promises";
import type { BackendConfig, BackendStatus, Config, RefusedItem } from "../../contract/mod.ts";
import type { Capability } from "../../contract/manage/mod.ts";
import { type Core, createCore } from "../../core/mod.ts";
import type { Log } from "../../ports/log.ts";
import { SystemClock } from "../clock.ts";
import { type OpenPorts, openPorts, type Undo } from "../ports.ts";
import { systemRandom } from "../random.ts";
import { aloneWith, withoutOthers } from "./alone.ts";
import { type Bounds, TooLate, within } from "./within.ts";

/** Between two looks at how far a backend is. */
const LOOK_MS = 10;
/** Of stderr. */
const LINES = 20;
/** Of what it wrote to stdout and should not have. */
const MAX_SAMPLES = 3;

/** What was seen of a backend. */
export interface Greeted {
  readonly name: string;
  readonly config: BackendConfig;
  readonly status: BackendStatus;
  /** From the start to the last list, or to the failure; milliseconds. */
  readonly tookMs: number;
  /** It was not decided within so many milliseconds. */
  readonly lateMs: number | undefined;
  /** Everything it offers, also what the configuration leaves out. */
  readonly items: readonly Capability[];
  readonly refused: readonly RefusedItem[];
  /** First lines of stdout that are no messages. */
  readonly samples: readonly string[];
}

export interface Greeter {
  /** Never rejects for what a backend does. @throws the reason of the signal */
  greet(name: string, config: BackendConfig, bounds: Bounds): Promise<Greeted>;
  /** Ends what is left. */
  close(): Promise<void>;
}

/** @param secrets replaced wherever a backend repeats them */
export async function openGreeter(config: Config, secrets: readonly string[]): Promise<Greeter> {
  const undo: Undo[] = [];
  const clock = new SystemClock();
  const quiet = withoutOthers(config);
  const source = { name: "doctor", identity: "doctor" };
  const options = { config: quiet, source, secrets, notices: [], listen: false };
  const close = async () => {
    for (const step of undo.splice(0).reverse()) await step();
  };
  try {
    const opened = await openPorts(options, clock, undo);
    undo.push(() => opened.http.close());
    return {
      greet: (name, own, bounds) => greet({ name, config: own, whole: config, opened }, bounds),
      close,
    };
  } catch (thrown) {
    await close();
    throw thrown;
  }
}

interface Greeting {
  readonly name: string;
  readonly config: BackendConfig;
  readonly whole: Config;
  readonly opened: OpenPorts;
}

async function greet({ name, config, whole, opened }: Greeting, bounds: Bounds): Promise<Greeted> {
  const heard = new Heard();
  // Without chance the pause before a second attempt is as long as it is told to be.
  const random = { ...systemRandom, fraction: () => 1 };
  const core = createCore(aloneWith(whole, name, config), { ...opened.ports, log: heard, random });
  const startedAt = performance.now();
  try {
    core.start();
    const lateMs = await decided(core, name, bounds);
    return {
      name,
      config,
      lateMs,
      status: core.control.backend(name, LINES),
      tookMs: performance.now() - startedAt,
      items: core.control.capabilities(),
      refused: core.control.refused(),
      samples: heard.samples,
    };
  } finally {
    await core.stop();
  }
}

/** The limit when that was reached. @throws the reason of the signal */
async function decided(core: Core, name: string, bounds: Bounds): Promise<number | undefined> {
  try {
    await within(bounds, async (signal) => {
      while (!isDecided(core, name)) await pause(LOOK_MS, undefined, { signal });
    });
    return undefined;
  } catch (thrown) {
    if (bounds.signal.aborted || !(thrown instanceof TooLate)) throw thrown;
    return bounds.limitMs;
  }
}

/** Its catalog is merged when the gateway is not starting any more. */
function isDecided({ control }: Core, name: string): boolean {
  return control.backend(name, 0).state !== "starting" && control.state !== "starting";
}

/** Hears what is not in the status. */
class Heard implements Log {
  readonly samples: string[] = [];

  write(event: string, fields: Readonly<Record<string, unknown>> = {}): void {
    if (event !== "backend.invalid_output" || this.samples.length >= MAX_SAMPLES) return;
    this.samples.push(String(fields["sample"]));
  }
}
