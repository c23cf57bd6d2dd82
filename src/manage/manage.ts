/** The life of a request to the management API, the same for every route of the table. */
import { type RouteName, type RouteRow, ROUTES } from "../contract/manage/mod.ts";
import { asSentinelError, type SentinelError } from "../contract/mod.ts";
import type { Readiness } from "../contract/readiness.ts";
import { BodyDeadlines, type HttpHandler, type HttpOutgoing, type Peer } from "../core/mod.ts";
import type { Series } from "../ports/telemetry.ts";
import { errorAnswer, jsonAnswer, readinessAnswer, streamAnswer, textAnswer } from "./answers.ts";
import { admit } from "./door/admission.ts";
import { type Arrival, type Caller, Entrance } from "./door/entrance.ts";
import type { Handlers } from "./handler.ts";
import { createHandlers } from "./handlers/mod.ts";
import { decodeParams, nothing, readBody, readIdempotencyKey, readQuery } from "./input.ts";
import { countRefusal, countRequest } from "./meter.ts";
import type { Exposition, ManageOptions } from "./options.ts";
import { allowedMethods, findRoute, type Found } from "./routes.ts";
import { Streams } from "./stream/streams.ts";

export interface Manage {
  /** Everything of the management listener. Never rejects. */
  readonly handle: HttpHandler;
  /** Ends the open streams, tells their readers that the gateway stops, and takes no more. */
  closeStreams(): void;
}

export function createManage(options: ManageOptions): Manage {
  const { control, clock, facts, metrics } = options;
  const streams = new Streams(options);
  const server = new Server(
    options,
    createHandlers({ control, clock, facts, metrics, streams }),
  );
  return {
    handle: (incoming, peer = {}) => {
      const [path = "", search = ""] = split(incoming.target);
      const request = options.requestId();
      return server.serve({ incoming, path, search, peer: seenAs(peer), request });
    },
    closeStreams: () => {
      streams.closeAll();
      server.close();
    },
  };
}

/** Time for the body of a request. */
const BODY_MS = 30_000;

/** Public where `management.public_health` is true. */
const PROBES: ReadonlySet<RouteName> = new Set(["health", "live", "ready"]);

class Server {
  readonly #options: ManageOptions;
  readonly #inFlight: Series;
  readonly #handlers: Handlers;
  readonly #entrance: Entrance;
  readonly #bodies: BodyDeadlines;

  constructor(options: ManageOptions, handlers: Handlers) {
    this.#options = options;
    this.#inFlight = options.telemetry.series("sentinel_requests_in_flight", {
      plane: "management",
    });
    this.#handlers = handlers;
    this.#entrance = new Entrance(options);
    this.#bodies = new BodyDeadlines(options.clock, () => BODY_MS);
  }

  close(): void {
    this.#bodies.stop();
  }

  async serve(arrival: Arrival): Promise<HttpOutgoing> {
    const { method } = arrival.incoming;
    let route: RouteName | undefined;
    let answer: HttpOutgoing;
    this.#inFlight.add(1);
    try {
      this.#admit(arrival);
      const found = await findRoute(routed(method, arrival.path), arrival.path);
      route = found.name;
      answer = await this.#answer(arrival, found);
    } catch (thrown) {
      answer = this.#refuse(arrival, asSentinelError(thrown));
    }
    this.#inFlight.add(-1);
    countRequest(this.#options.telemetry, { route, method, status: answer.status });
    return method === "HEAD" ? { ...answer, body: undefined } : answer;
  }

  #admit(arrival: Arrival): void {
    try {
      admit(arrival.incoming, this.#options.settings().hostnames);
    } catch (thrown) {
      this.#entrance.turnAway(arrival, asSentinelError(thrown));
      throw thrown;
    }
  }

  async #answer(arrival: Arrival, { name, params }: Found): Promise<HttpOutgoing> {
    const caller = await this.#entrance.authorize(arrival, this.#scopeOf(name));
    const asked = await ask(arrival, ROUTES[name], { caller, params, bodies: this.#bodies });
    // The schemas of the table have made `asked` what this route's handler takes.
    const handler = this.#handlers[name] as (asked: unknown) => unknown;
    return answerOf(ROUTES[name], await handler(asked));
  }

  #scopeOf(name: RouteName): RouteRow["scope"] {
    if (PROBES.has(name) && !this.#options.settings().publicHealth) return "read";
    return ROUTES[name].scope;
  }

  #refuse({ path, request }: Arrival, error: SentinelError): HttpOutgoing {
    const { telemetry, log } = this.#options;
    countRefusal(telemetry, error);
    if (error.code === "INTERNAL") {
      log.write("call.defect", { request_id: request, cause: String(error.cause) });
    }
    const isMethod = error.http === 405;
    const headers = isMethod ? { allow: allowedMethods(path).join(", ") } : undefined;
    return errorAnswer(error, request, headers);
  }
}

/** Probes may ask with HEAD. */
function routed(method: string, path: string): string {
  return method === "HEAD" && (path === "/health" || path === "/ready") ? "GET" : method;
}

/** Looked at once, at the beginning: some hosts cannot tell any more when the connection has ended. */
function seenAs({ address = "", subject }: Peer): Peer {
  return {
    ...(address === "" ? {} : { address }),
    ...(subject === undefined ? {} : { subject }),
  };
}

interface Admitted {
  readonly caller: Caller;
  readonly params: Readonly<Record<string, string>>;
  readonly bodies: BodyDeadlines;
}

async function ask(
  { incoming, search }: Arrival,
  row: RouteRow,
  { caller: { actor, isAllowed }, params, bodies }: Admitted,
) {
  const body = await readBody(incoming, row.body, bodies);
  const query = readQuery(search, row.query ?? nothing);
  const key = row.operation === true ? readIdempotencyKey(incoming) : undefined;
  return {
    params: decodeParams(params),
    query,
    body,
    act: { actor, ...(key === undefined ? {} : { key }) },
    header: (name: string) => incoming.header(name),
    isAllowed,
  };
}

function answerOf({ answers, mayBeUnready }: RouteRow, given: unknown): HttpOutgoing {
  if (answers === "events") return streamAnswer(given as ReadableStream<Uint8Array>);
  if (mayBeUnready === true) return readinessAnswer(given as Readiness);
  if (answers === "json") return jsonAnswer(given);
  const { contentType, text } = given as Exposition;
  return textAnswer(contentType, text);
}

/** Path and query of a target. */
function split(target: string): readonly string[] {
  const question = target.indexOf("?");
  return question === -1 ? [target] : [target.slice(0, question), target.slice(question + 1)];
}
