/** Bodies of requests as text: never more than the limit and never anything but UTF-8. */
import { SentinelError } from "../../contract/mod.ts";
import type { FrontContext } from "./context.ts";
import type { HttpIncoming } from "./http_message.ts";

/** The byte order mark stays in the text, where the scan refuses it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SentinelError TOO_LARGE, SLOW or PARSE */
export async function readText(
  { bodies, maxRequestBytes }: Pick<FrontContext, "bodies" | "maxRequestBytes">,
  incoming: HttpIncoming,
): Promise<string> {
  const bytes = await bodies.read(incoming, maxRequestBytes());
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SentinelError("PARSE", "Cannot parse the message: it is not UTF-8");
  }
}

/** The client went away in the middle of its body. */
export function bodyBroken(cause: unknown): SentinelError {
  const message = "Cannot read the message: the body broke off";
  return new SentinelError("BAD_HTTP", message, { http: 400 }, cause);
}

export function bodyTooLarge(maxBytes: number): SentinelError {
  return new SentinelError(
    "TOO_LARGE",
    `Cannot read the message: the body is larger than ${maxBytes} bytes`,
  );
}
