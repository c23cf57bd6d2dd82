/** The way from a command to the management API of a gateway, and back with what went wrong. */
import {
  createManagementClient,
  type ManagementClient,
  ManagementError,
} from "../src/client/mod.ts";
import { suggest } from "../src/contract/suggest.ts";
import { parseDuration } from "../src/contract/units.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { findTarget, type Target, type TargetRequest } from "./target.ts";
import { visible } from "./text.ts";
import { certificateProblem, tlsFetch } from "./tls_fetch.ts";
import { watchVersion } from "./version_watch.ts";

/** How long a request may take; the client's default where nothing is said. */
interface Wait {
  readonly timeoutMs?: number;
}

/** A gateway, ready to be asked. */
export interface Connection {
  readonly target: Target;
  readonly client: ManagementClient;
  readonly wait: Wait;
  /** For what waits for backends. */
  readonly longWait: Wait;
}

const LONG_WAIT_MS = 90_000;
const LONGEST_WAIT_MS = 24 * 3_600_000;

/** Finds the gateway that the options name; nothing is sent yet. @throws CommandFailed */
export async function connect(request: TargetRequest): Promise<Connection> {
  return await connectTo(await findTarget(request), request);
}

/** @throws CommandFailed when the files of the target cannot be read or its token cannot be sent */
export async function connectTo(
  target: Target,
  { io, output, options: { timeout } }: TargetRequest,
): Promise<Connection> {
  const { url, token, tls } = target;
  const isTls = url.startsWith("https:");
  const made = await asFailure(async () =>
    createManagementClient({
      url,
      token,
      // One way over TLS on all runtimes, so that a certificate fails with the same words.
      fetch: isTls ? await tlsFetch(tls) : fetch,
      clock: io.clock,
      random: Math.random,
    })
  );
  const timeoutMs = parseDuration(timeout ?? "");
  const wait = timeoutMs === undefined ? {} : { timeoutMs: Math.min(timeoutMs, LONGEST_WAIT_MS) };
  const client = watchVersion({ client: made, output, wait });
  return { target, client, wait, longWait: { timeoutMs: LONG_WAIT_MS, ...wait } };
}

/** Runs `work`; what the gateway or the way to it refused becomes a message, a remedy and an exit code. */
export async function asFailure<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    throw thrown instanceof ManagementError ? failureOf(thrown) : thrown;
  }
}

/** Like `asFailure`; for a name that is not there it suggests the nearest of `names`. */
export async function asNamed<Value>(
  name: string,
  names: () => Promise<readonly string[]>,
  work: () => Promise<Value>,
): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof ManagementError)) throw thrown;
    const failure = failureOf(thrown);
    if (thrown.kind !== "not_found" || thrown.reason !== undefined) throw failure;
    // The suggestion is a courtesy; without it the failure stands as it is.
    const near = suggest(name, await names().catch(() => []));
    if (near === undefined) throw failure;
    const hint = `did you mean ${visible(near)}?`;
    throw new CommandFailed(failure.code, failure.message, hint, failure.details);
  }
}

const CODES: Readonly<Record<ManagementError["kind"], number>> = {
  unreachable: EXIT.unreachable,
  timeout: EXIT.unreachable,
  unauthorized: EXIT.unauthorized,
  forbidden: EXIT.unauthorized,
  not_found: EXIT.failed,
  refused: EXIT.failed,
  mismatch: EXIT.failed,
  server: EXIT.failed,
};

function failureOf(error: ManagementError): CommandFailed {
  const { kind, code: name, message, remedy, request, reason, issues, retryAfterMs } = error;
  const certificate = kind === "unreachable" ? certificateProblem(error) : undefined;
  // What was asked for was written wrong, a filter for instance.
  const code = name === "INVALID_PARAMS" ? EXIT.usage : CODES[kind];
  // Instead of what the TLS library says, which nobody reads.
  const [address = ""] = message.split(": ");
  const text = certificate === undefined ? message : `${address}: ${certificate.what}`;
  const details = {
    ...(name === undefined ? {} : { error: name }),
    ...(reason === undefined ? {} : { reason }),
    ...(request === undefined ? {} : { request }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(issues === undefined ? {} : { issues }),
  };
  return new CommandFailed(code, visible(text), certificate?.hint ?? visible(remedy), details);
}
