/** A collector over OTLP/HTTP with JSON, as small as one can be: keeps what it gets. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { bodyOf } from "./http_fixture.ts";
import type { Rpc } from "./http_session.ts";

export interface ReceivedSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  /** 2: server, 3: client (OTLP). */
  readonly kind: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly events: readonly string[];
  readonly links: readonly string[];
  /** 2 is an error (OTLP). */
  readonly status: number;
  readonly resource: Readonly<Record<string, unknown>>;
}

export interface ReceivedMetric {
  readonly name: string;
  readonly unit: string;
  /** `sum`, `gauge` or `histogram` of OTLP. */
  readonly data: Rpc;
}

export interface OtlpReceiver {
  /** For `telemetry.traces.otlp`. */
  readonly url: string;
  readonly port: number;
  readonly spans: readonly ReceivedSpan[];
  /** Those of the last push. */
  readonly metrics: readonly ReceivedMetric[];
  /** Resolves when `count` spans that match have come. @throws Error after 30 s */
  awaitSpans(count: number, match?: (span: ReceivedSpan) => boolean): Promise<ReceivedSpan[]>;
  close(): Promise<void>;
}

const WAIT_MS = 30_000;
const LOOK_MS = 20;

/** @param port 0 for a free one */
export async function startOtlpReceiver(port = 0): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  let metrics: ReceivedMetric[] = [];

  async function take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = JSON.parse(await bodyOf(request)) as Rpc;
    if (request.url === "/v1/traces") spans.push(...spansOf(body));
    if (request.url === "/v1/metrics") metrics = metricsOf(body);
    response.writeHead(200, { "content-type": "application/json" }).end("{}");
  }

  const server = createServer((request, response) => void take(request, response));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${address.port}`,
    port: address.port,
    spans,
    get metrics() {
      return metrics;
    },
    awaitSpans: async (count, match = () => true) => {
      const end = performance.now() + WAIT_MS;
      for (;;) {
        const found = spans.filter(match);
        if (found.length >= count) return found;
        if (performance.now() > end) {
          throw new Error(`${found.length} of ${count} spans came: ${JSON.stringify(spans)}`);
        }
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function spansOf({ resourceSpans = [] }: Rpc): ReceivedSpan[] {
  return (resourceSpans as Rpc[]).flatMap(({ resource, scopeSpans }) =>
    (scopeSpans as Rpc[]).flatMap(({ spans }) =>
      (spans as Rpc[]).map((span) => ({
        name: span["name"],
        traceId: span["traceId"],
        spanId: span["spanId"],
        parentSpanId: span["parentSpanId"] === "" ? undefined : span["parentSpanId"],
        kind: span["kind"],
        attributes: attributesOf(span["attributes"]),
        events: ((span["events"] ?? []) as Rpc[]).map(({ name }) => name as string),
        links: ((span["links"] ?? []) as Rpc[]).map(({ spanId }) => spanId as string),
        status: span["status"]?.code ?? 0,
        resource: attributesOf(resource["attributes"]),
      }))
    )
  );
}

function metricsOf({ resourceMetrics = [] }: Rpc): ReceivedMetric[] {
  return (resourceMetrics as Rpc[]).flatMap(({ scopeMetrics }) =>
    (scopeMetrics as Rpc[]).flatMap(({ metrics }) =>
      (metrics as Rpc[]).map(({ name, unit, sum, gauge, histogram }) => ({
        name,
        unit: unit ?? "",
        data: sum ?? gauge ?? histogram,
      }))
    )
  );
}

/** OTLP's values without their wrapping. */
export function attributesOf(list: readonly Rpc[] = []): Record<string, unknown> {
  return Object.fromEntries(
    list.map(({ key, value }) => [key, Object.values(value as Rpc)[0]]),
  );
}
