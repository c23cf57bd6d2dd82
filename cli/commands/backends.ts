import type { BackendStatus } from "../../src/contract/status.ts";
import { age, backendColumns, circuitText, worstFirst } from "../backend_table.ts";
import { confirm } from "../confirm.ts";
import { EXIT } from "../exit.ts";
import { asNamed, connect, type Connection } from "../management.ts";
import { finish } from "../operation.ts";
import { columns, counted, type Output } from "../output.ts";
import { listed, type ListingOptions, namesOf, section, show, tableOf } from "../show.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { briefDuration, milliseconds, visible } from "../text.ts";

interface ListRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions;
}

interface BackendRequest extends TargetRequest {
  readonly options: TargetOptions & { readonly yes?: true };
  readonly name: string;
}

/** Prints the backends, worst first. */
export async function listBackends(request: ListRequest): Promise<number> {
  const { io, output, options } = request;
  const connection = await connect(request);
  const answer = await listed({ connection, route: "backends", options });
  show({ output, route: "backends", answer }, ({ items }) => {
    const rows = worstFirst(items);
    const empty = options.filter === undefined
      ? "no backends are configured"
      : "no backend matches";
    return tableOf({ output, options, rows, empty }, backendColumns(io.clock.now()));
  });
  return EXIT.done;
}

/** Prints one backend with everything needed to see why it is as it is. */
export async function showBackend(request: BackendRequest): Promise<number> {
  const { io, output, name } = request;
  const connection = await connect(request);
  const { client, wait } = connection;
  const answer = await backendNamed(
    name,
    connection,
    () => client.request("backend", { params: { name }, ...wait }),
  );
  show({ output, route: "backend", answer }, (backend) => details(backend, io.clock.now(), output));
  return EXIT.done;
}

/** Prints the last stderr lines of a backend. */
export async function backendLogs(request: BackendRequest): Promise<number> {
  const { output, name } = request;
  const connection = await connect(request);
  const { client, wait } = connection;
  const answer = await backendNamed(
    name,
    connection,
    () => client.request("backendLogs", { params: { name }, ...wait }),
  );
  show({ output, route: "backendLogs", answer }, ({ lines }) => lines);
  const { lines, total } = answer;
  if (!output.isJson && total === 0) output.note(`${visible(name)} has written nothing to stderr`);
  if (!output.isJson && total > lines.length) {
    output.note(`the last ${lines.length} of ${total} lines`);
  }
  return EXIT.done;
}

/** Makes the connections of a backend anew and waits for it. */
export async function reconnect(request: BackendRequest): Promise<number> {
  const { io, output, options, name } = request;
  const connection = await connect(request);
  const { client, target, longWait } = connection;
  await confirm({ io, options, target, act: `reconnect ${visible(name)}`, always: false });
  const answer = await backendNamed(
    name,
    connection,
    () => client.request("reconnect", { params: { name }, ...longWait }),
  );
  return finish({
    output,
    route: "reconnect",
    answer,
    done: `reconnected ${visible(name)} on ${target.name}`,
    unchanged: `${visible(name)} needs no connection`,
    undo: "nothing to undo; calls go on over the new connection",
  });
}

/** Suggests a backend for a name that is not there. */
function backendNamed<Value>(
  name: string,
  { client }: Connection,
  work: () => Promise<Value>,
): Promise<Value> {
  return asNamed(name, () => namesOf(client.all("backends")), work);
}

function details(
  backend: BackendStatus,
  now: number,
  { paint }: Output,
): string[] {
  const since = briefDuration((now - Date.parse(backend.since)) / 1000);
  const { traffic, dropped } = backend;
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  const rows: (readonly [string, string | number | undefined])[] = [
    ["state", `${backend.state} for ${since}`],
    ["killed", backend.killed],
    ["kind", `${backend.kind}, names begin with ${backend.alias}`],
    ["protocol", protocolText(backend)],
    ["last error", backend.lastError],
    ["exit", backend.signal ?? backend.exitCode],
    ["next try", backend.nextRetry === undefined ? undefined : untilText(backend.nextRetry, now)],
    ["restarts", backend.restarts],
    ["process", backend.pid],
    ["offers", offers(backend)],
    ["circuit", circuitsText(backend, now)],
    ["last ping", pingText(backend, now)],
    ["in flight", loadText(backend)],
    ["last minute", trafficText(traffic)],
    ["dropped", lost.map(([name, count]) => `${count} ${name}`).join(", ") || undefined],
  ];
  const known = rows.filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name, String(value)] as const);
  return [
    paint("strong", backend.name),
    ...columns(known),
    ...section(paint("faint", "FORGOTTEN BY IT"), backend.lost),
    ...section(paint("faint", "STDERR"), backend.stderr),
  ];
}

/** Of all tools, and of those with one that is not closed. */
function circuitsText({ circuit }: BackendStatus, now: number): string {
  const whole = circuit.state === "closed"
    ? "closed"
    : circuitText(circuit, now).replace("circuit ", "");
  return circuit.tools.length === 0 ? whole : `${whole}; not closed of ${circuit.tools.join(", ")}`;
}

function pingText({ lastPing }: BackendStatus, now: number): string | undefined {
  if (lastPing === undefined) return undefined;
  const { ok, ms, at } = lastPing;
  return `${ok ? "answered" : "failed"} after ${milliseconds(ms)}, ${age(at, now)} ago`;
}

/** A connection to a stdio backend is a process. */
function loadText({ kind, links, inFlight, queued }: BackendStatus): string {
  const over = kind === "stdio"
    ? counted(links, "process", "processes")
    : counted(links, "connection");
  return `${inFlight} over ${over}${queued === 0 ? "" : `, ${queued} waiting`}`;
}

function untilText(moment: string, now: number): string {
  return `in ${briefDuration((Date.parse(moment) - now) / 1000)}`;
}

/** The revision, and whether it has sessions. */
function protocolText({ protocol, era }: BackendStatus): string | undefined {
  return protocol === undefined || era === undefined ? protocol : `${protocol}, ${era} era`;
}

function offers({ tools, prompts, resources, templates }: BackendStatus): string {
  return `${tools} tools, ${prompts} prompts, ${resources} resources, ${templates} templates`;
}

function trafficText(
  { callsPerMinute, errorRatio, p50Ms, p95Ms }: BackendStatus["traffic"],
): string {
  const times = p50Ms === undefined || p95Ms === undefined
    ? ""
    : `, p50 ${milliseconds(p50Ms)}, p95 ${milliseconds(p95Ms)}`;
  return `${callsPerMinute} calls, ${(errorRatio * 100).toFixed(1)}% errors${times}`;
}
