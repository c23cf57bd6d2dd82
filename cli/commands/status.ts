import type { RouteAnswer } from "../../src/client/mod.ts";
import type { Status } from "../../src/contract/manage/mod.ts";
import { backendColumns, errors, time, worstFirst } from "../backend_table.ts";
import { EXIT } from "../exit.ts";
import { interruption } from "../interruption.ts";
import { asFailure, connect, type Connection } from "../management.ts";
import { counted, type Output, type Style } from "../output.ts";
import { listed, type ListingOptions, show, tableOf } from "../show.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { longDuration, visibleCopy } from "../text.ts";

interface StatusRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions & { readonly watch?: true };
}

interface Seen {
  readonly status: Status;
  readonly backends: RouteAnswer<"backends">["items"];
}

const PERIOD_MS = 2000;
/** To the top left, and everything below is gone. */
const CLEAR = "\u001b[H\u001b[2J\u001b[3J";

/** Prints one screen about the gateway; exit code 6 when it is not ready. */
export async function status(request: StatusRequest): Promise<number> {
  const { output, options } = request;
  const connection = await connect(request);
  if (options.watch) return await watch(connection, request);
  const seen = await look(connection, request);
  show({ output, route: "status", answer: seen.status }, () => screen(seen, request));
  const { state, readiness } = seen.status;
  return state === "ready" && readiness.status === "ready" ? EXIT.done : EXIT.unhealthy;
}

/** Looks again and again until the person interrupts or the gateway cannot be reached. */
async function watch(connection: Connection, request: StatusRequest): Promise<number> {
  const { io, output } = request;
  const stop = interruption(io);
  try {
    while (!stop.signal.aborted && io.out.isOpen) {
      const seen = await look(connection, request);
      if (output.isJson) output.jsonLine("status", seen.status);
      else {
        const text = screen(seen, request).join("\n");
        io.out.write(`${io.out.isTerminal ? CLEAR : ""}${text}\n${io.out.isTerminal ? "" : "\n"}`);
      }
      await io.out.drained();
      await stop.rest(PERIOD_MS);
    }
    return EXIT.interrupted;
  } finally {
    stop.end();
  }
}

/** For programs the status alone; people see the backends too. */
async function look(connection: Connection, { output }: StatusRequest): Promise<Seen> {
  const { client, wait } = connection;
  const answer = asFailure(() => client.request("status", wait));
  if (output.isJson) return { status: await answer, backends: [] };
  const [status, { items }] = await Promise.all([
    answer,
    listed({ connection, route: "backends", options: {} }),
  ]);
  return { status, backends: items };
}

function screen(seen: Seen, { io, output, options }: StatusRequest): string[] {
  const { status, backends } = visibleCopy(seen);
  const rows = worstFirst(backends);
  const empty = "no backends are configured";
  return [
    ...summary(status, output),
    "",
    ...tableOf({ output, options, rows, empty }, backendColumns(io.clock.now())),
  ];
}

/** What only clients of the modern era have; left out while there is none. */
function some(name: string, count: number | undefined): readonly string[] {
  return count === undefined || count === 0 ? [] : [`${name} ${count}`];
}

/** What becomes of rows: it is worth a line even when all is well. */
function auditLine({ audit }: Status, paint: Output["paint"]): string {
  const { store, ok, queued, dropped } = audit;
  if (store === "off") return "  audit     off";
  const text = `  audit     ${store} ${ok ? "ok" : "failed"}  queued ${queued}  dropped ${dropped}`;
  if (!ok || dropped > 0) return paint("error", text);
  return text;
}

/** What load balancers are told, where it keeps calls away. */
function readinessLine({ readiness }: Status, paint: Output["paint"]): readonly string[] {
  const { status, reasons } = readiness;
  if (status === "unready") return [paint("error", `  ready     no: ${reasons.join(", ")}`)];
  if (!reasons.includes("overloaded")) return [];
  return [paint("warning", "  ready     yes, but overloaded: new requests are refused")];
}

const STYLES: Readonly<Partial<Record<Status["state"], Style>>> = {
  ready: "good",
  degraded: "warning",
  starting: "warning",
  failed: "error",
};

function summary(status: Status, { paint }: Output): string[] {
  const { config, runtime, catalog, traffic, stores, log } = status;
  const state = paint(STYLES[status.state] ?? "warning", status.state);
  const head = [
    `${paint("strong", status.name)}  ${state}`,
    `up ${longDuration(status.uptimeSeconds)}`,
    `config ${config.hash} (by ${config.loadedBy})`,
    `${status.version} on ${runtime.name} ${runtime.version}`,
  ];
  const states = Object.entries(status.backends.states).filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  const tools = `${catalog.tools}${catalog.refused === 0 ? "" : ` (${catalog.refused} left out)`}`;
  const calls = [
    `${traffic.callsPerMinute}/min`,
    `err ${errors(traffic)}`,
    `p50 ${time(traffic.p50Ms)}`,
    `p95 ${time(traffic.p95Ms)}`,
  ];
  const clients = [
    `sessions ${status.sessions}`,
    ...some("listens", status.listens),
    ...some("parked", status.parked),
    `in flight ${status.inFlight}`,
  ];
  const bad = stores.filter(({ ok }) => !ok);
  return [
    head.join("   "),
    ...status.reasons.map((reason) => paint("warning", `  ${reason}`)),
    ...readinessLine(status, paint),
    `  backends  ${states.join("  ") || "none"}      tools ${tools}`,
    `  calls     ${calls.join("  ")}     ${clients.join("  ")}`,
    auditLine(status, paint),
    ...(status.endpoint === undefined ? [] : [`  endpoint  ${status.endpoint}`]),
    ...bad.map(({ name, error }) => paint("error", `  store     ${name}: ${error ?? "failed"}`)),
    ...(status.killSwitches === 0 ? [] : [
      paint(
        "warning",
        `  kill      ${
          counted(status.killSwitches, "switch", "switches")
        } set: mcp-sentinel kill list`,
      ),
    ]),
    ...(config.restartPending.length === 0
      ? []
      : [paint("warning", `  restart   waits for: ${config.restartPending.join(", ")}`)]),
    ...(log.until === undefined ? [] : [`  log       ${log.level} until ${log.until}`]),
  ];
}
