/** Streams of a gateway, followed until somebody interrupts: over lost connections and restarts. */
import type { Followed, RouteAnswer, StreamRoute, StreamState } from "../src/client/mod.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { type Interruption, interruption } from "./interruption.ts";
import { asFailure, connect, type Connection } from "./management.ts";
import type { TargetRequest } from "./target.ts";
import { briefDuration, visible } from "./text.ts";

/** Between two looks whether a gateway that stopped is back. */
const LOOK_MS = 2000;

interface Tail<Name extends StreamRoute> {
  readonly request: TargetRequest;
  readonly route: Name;
  readonly filter: string | undefined;
  /** Cursor to begin after, where the stream has cursors; undefined for what happens from now on. */
  readonly after?: string | undefined;
  readonly print: (entry: Followed<RouteAnswer<Name>>) => void;
}

/**
 * Prints what a stream sends until Ctrl-C or until nobody reads stdout any more. What happens to the connection is
 * told on stderr.
 * @returns the exit code
 * @throws CommandFailed when another attempt would be useless
 */
export async function tail<Name extends StreamRoute>(asked: Tail<Name>): Promise<number> {
  const { io, output } = asked.request;
  const stop = interruption(io);
  let after = asked.after;
  try {
    let connection = await reached(asked.request);
    while (!stop.signal.aborted && io.out.isOpen) {
      after = await follow({ ...asked, after }, connection, stop);
      if (stop.signal.aborted || !io.out.isOpen) break;
      output.note(`${connection.target.name} has stopped; waiting until it is back`);
      const again = await comeBack(asked.request, stop);
      if (again === undefined) break;
      output.note(`${again.target.name} is back`);
      connection = again;
    }
    return stop.signal.aborted ? EXIT.interrupted : EXIT.done;
  } finally {
    stop.end();
  }
}

/** One stream, to its end; returns the cursor of the last event, where it has one. */
async function follow<Name extends StreamRoute>(
  { request, route, filter, after, print }: Tail<Name>,
  { client }: Connection,
  { signal }: Interruption,
): Promise<string | undefined> {
  const { io, output } = request;
  let last = after;
  const onState = (state: StreamState) => {
    const said = stateText(state);
    if (said !== undefined) output.note(said);
  };
  await asFailure(async () => {
    const options = { ...(after === undefined ? {} : { from: after }), filter, onState, signal };
    for await (const entry of client.follow<StreamRoute>(route, options)) {
      print(entry as Followed<RouteAnswer<Name>>);
      if (entry.kind === "event" && "cursor" in entry.data) last = entry.data.cursor;
      await io.out.drained();
      if (!io.out.isOpen) return;
    }
  });
  return last;
}

function stateText({ state, error, retryInMs }: StreamState): string | undefined {
  if (state === "live") return "connected";
  if (state !== "stale" || error === undefined) return undefined;
  const next = retryInMs === undefined ? "" : `; next try in ${briefDuration(retryInMs / 1000)}`;
  return `connection lost: ${visible(error.message)}${next}`;
}

/** Finds the gateway and asks it something, so that a wrong token or address fails at once. */
async function reached(request: TargetRequest): Promise<Connection> {
  const connection = await connect(request);
  await asFailure(() => connection.client.request("status", connection.wait));
  return connection;
}

/** A gateway that was started again may listen elsewhere and have another token. */
async function comeBack(
  request: TargetRequest,
  stop: Interruption,
): Promise<Connection | undefined> {
  while (!stop.signal.aborted) {
    try {
      return await reached(request);
    } catch (thrown) {
      const isAway = thrown instanceof CommandFailed && thrown.code === EXIT.unreachable;
      if (!isAway) throw thrown;
    }
    await stop.rest(LOOK_MS);
  }
  return undefined;
}
