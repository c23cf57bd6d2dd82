import { commandCells, type CommandTime } from "./command_times.ts";
import { backendAlone, middle, sibling, times } from "./compare.ts";
import type { Polled } from "./polled.ts";
import { sizeCells } from "./sizes.ts";
import type { StartUp } from "./startup.ts";
import { median } from "./stats.ts";
import { ROLE_NAMES } from "./targets.ts";
import type { Level, Row } from "./throughput.ts";
import type { Verdict } from "./verdict.ts";
import { workName } from "./work.ts";

type Cells = readonly (string | number)[];

/** One Markdown table per kind of work and number in flight. */
export function throughputTables(levels: readonly Level[]): string {
  return levels.map((level) =>
    `*${titleOf(level)}*\n\n${table(THROUGHPUT_HEAD, level.rows.map(cellsIn(level)))}`
  ).join("\n");
}

function titleOf({ work, inFlight }: Level): string {
  return `${workName(work)}, ${inFlight} in flight`;
}

const THROUGHPUT_HEAD = [
  "target",
  "runtime",
  "req/s",
  "p50 ms",
  "p95 ms",
  "p99 ms",
  "CPU µs/req",
  "RSS MB",
  "req/s ÷ bare",
  "CPU ÷ bare",
  "p95 ÷ bare",
  "p95 ÷ backend",
  "req/s ÷ SDK",
  "errors",
];

function cellsIn(level: Level): (row: Row) => Cells {
  return (row) => {
    const bare = sibling(level, row, "bare");
    const sdk = sibling(level, row, "sdk");
    return [
      ROLE_NAMES[row.plan.role],
      row.plan.runtime,
      Math.round(middle(row, "rate")),
      middle(row, "p50"),
      middle(row, "p95"),
      middle(row, "p99"),
      middle(row, "cpuMicros").toFixed(1),
      Math.round(middle(row, "rssMb")),
      times(row, bare, "rate"),
      times(row, bare, "cpuMicros"),
      times(row, bare, "p95"),
      times(row, backendAlone(level), "p95"),
      times(row, sdk, "rate"),
      errorsOf(row),
    ];
  };
}

function errorsOf(row: Row): number {
  return row.slices.reduce((sum, { errors }) => sum + errors, 0);
}

/** What targets did wrong, one line each: a run is worth nothing unless there is none. */
export function complaints(levels: readonly Level[]): string[] {
  return levels.flatMap((level) =>
    level.rows.filter((row) => errorsOf(row) > 0).map((row) => {
      const first = row.slices.find(({ firstError }) => firstError !== undefined)?.firstError;
      const target = `${ROLE_NAMES[row.plan.role]}, ${row.plan.runtime}, ${titleOf(level)}`;
      return `${target}: ${errorsOf(row)} errors, first ${first}`;
    })
  );
}

const START_NAMES: Record<StartUp["role"], string> = {
  ...ROLE_NAMES,
  trivial: "trivial server",
  executable: "gateway, executable",
};

/** Start-up times, each beside the trivial server of its runtime. */
export function startUpTable(startUps: readonly StartUp[]): string {
  const head = ["program", "runtime", "listening ms", "first initialize ms", "listening ÷ trivial"];
  return table(
    head,
    startUps.map(({ role, runtime, listeningMs, initializedMs }) => {
      const trivial = startUps.find((one) => one.runtime === runtime && one.role === "trivial");
      return [
        START_NAMES[role],
        runtime,
        listeningMs.toFixed(1),
        initializedMs.toFixed(1),
        listeningMs / (trivial?.listeningMs ?? Number.NaN),
      ];
    }),
  );
}

/** What people wait for before a command does anything, and what is shipped. */
export function commandTables(measured: readonly CommandTime[]): string {
  const head = ["program", "runtime", "command", "ms", "÷ empty program"];
  const sizes = table(["what", "files", "KiB"], sizeCells());
  return `${table(head, commandCells(measured))}\n${sizes}`;
}

/** What a large gateway does alone and polled, and how long each page took. */
export function polledTables(measured: readonly Polled[]): string {
  const head = ["gateway", "runtime", "ready after ms", "alone req/s", "polled req/s"];
  const cpu = ["alone CPU µs/req", "polled CPU µs/req", "CPU ms/look"];
  const gateways = measured.map(({ runtime, readyMs, lookCpuMs, alone, polled }) => [
    ROLE_NAMES.gateway,
    runtime,
    Math.round(readyMs),
    ...[alone, polled].map((slices) => Math.round(median(slices.map(({ rate }) => rate)))),
    ...[alone, polled].map((slices) => median(slices.map(({ cpuMicros }) => cpuMicros)).toFixed(1)),
    lookCpuMs.toFixed(1),
  ]);
  const pages = measured.flatMap(({ runtime, pages }) =>
    pages.map(({ page, bytes, quietMs, loadedMs }) => [page, runtime, bytes, quietMs, loadedMs])
  );
  const times = ["page", "runtime", "bytes", "ms, no calls", "ms, under load"];
  return `${table([...head, ...cpu], gateways)}\n${table(times, pages)}`;
}

/** Goals and what this run says to them. */
export function goalsTable(verdicts: readonly Verdict[]): string {
  const rows = verdicts.map(({ goal, target, got, met }) => [
    goal,
    target,
    got,
    met ? "met" : "missed",
  ]);
  return table(["goal", "target", "measured", ""], rows);
}

function table(head: readonly string[], rows: readonly Cells[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  return line(head) + line(head.map((_, column) => (column < 2 ? "---" : "---:"))) +
    rows.map((row) => line(row.map(cell))).join("");
}

function cell(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isNaN(value)) return "–";
  return Number.isInteger(value) ? String(value) : value.toFixed(2);
}
