/** Bodies of answers, bounded. */
import { type Call, mismatch, reached } from "./call.ts";

/** An answer whose body is to be read. */
export interface Reading {
  readonly call: Call;
  readonly response: Response;
  readonly signal: AbortSignal;
  /** Most bytes. */
  readonly limit: number;
}

/**
 * The whole body as text.
 * @throws ManagementError `mismatch` when it is too large or not UTF-8, `unreachable` when it is cut
 */
export async function readText({ call, response, signal, limit }: Reading): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reached(call, reader.read(), signal);
    size += value?.byteLength ?? 0;
    if (size > limit) throw mismatch(call, `answered more than ${limit} bytes`);
    try {
      text += done ? decoder.decode() : decoder.decode(value, { stream: true });
    } catch {
      throw mismatch(call, "answered something that is not UTF-8");
    }
    if (done) return text;
  }
}
