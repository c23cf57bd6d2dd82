/** What an answer other than 2xx means. */
import * as v from "valibot";
import { ErrorAnswer, type ErrorBody } from "../contract/manage/mod.ts";
import { readText } from "./body.ts";
import { type FailureKind, ManagementError } from "./errors.ts";
import { type Call, mismatch } from "./call.ts";

/** Characters. */
export const MAX_REFUSAL = 1_048_576;
/** The gateway would, but its configuration does not let it. */
const SWITCHED_OFF = "OPERATION_DISABLED";

/** The error for an answer that is no success. */
export async function refusalOf(
  call: Call,
  response: Response,
  signal: AbortSignal,
): Promise<ManagementError> {
  const { status } = response;
  if (status < 400) return await otherStatus(call, response);
  const text = await readText({ call, response, signal, limit: MAX_REFUSAL });
  const body = bodyOf(call.target.mask(text));
  const kind = kindOf(status, body?.code);
  if (kind === "mismatch") return mismatch(call, `answered ${status}`, { ...body, status });
  const message = body?.message ?? `${call.target.base} answered ${status}`;
  const retryAfterMs = body?.retryAfterMs ?? retryAfterOf(response);
  return new ManagementError(kind, message, {
    ...body,
    status,
    idempotencyKey: call.idempotencyKey,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** A redirect could carry the token to anybody, so it is never followed. */
async function otherStatus(call: Call, response: Response): Promise<ManagementError> {
  const { status, headers } = response;
  await response.body?.cancel();
  const target = URL.parse(headers.get("location") ?? "", call.target.base)?.origin;
  const redirected = status >= 300 || response.type === "opaqueredirect";
  if (!redirected) return mismatch(call, `answered ${status}`, { status });
  return mismatch(call, `answered with a redirect to ${target ?? "somewhere else"}`, {
    status,
    remedy: "Use the address behind the redirect.",
  });
}

function kindOf(status: number, code: string | undefined): FailureKind {
  if (code === SWITCHED_OFF) return "refused";
  if (status === 401) return "unauthorized";
  if (status === 403) return "forbidden";
  if (status >= 500) return "server";
  if (status === 404) return code === undefined ? "mismatch" : "not_found";
  // We send only methods of the table: the other side has another one.
  return status === 405 ? "mismatch" : "refused";
}

/** What the gateway says about it; undefined for an answer of something else, such as a proxy. */
function bodyOf(text: string): ErrorBody | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return v.is(ErrorAnswer, json) ? json.error : undefined;
  } catch {
    return undefined;
  }
}

function retryAfterOf({ headers }: Response): number | undefined {
  const seconds = headers.get("retry-after") ?? "";
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : undefined;
}
