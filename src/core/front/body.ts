/** Reads a request body as text, never more than the limit and never anything but UTF-8. */
import { SentinelError } from "../../contract/mod.ts";

/** The byte order mark stays in the text, where the scan refuses it. */
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** @throws SentinelError TOO_LARGE or PARSE */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > maxBytes) throw tooLarge(maxBytes);
  // A body with a length is read in one piece: the runtime stops at the length.
  const bytes = declared > 0
    ? new Uint8Array(await request.arrayBuffer())
    : await collect(request, maxBytes);
  try {
    return decoder.decode(bytes);
  } catch {
    throw new SentinelError("PARSE", "Cannot parse the message: it is not UTF-8");
  }
}

async function collect(request: Request, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body ?? []) {
    length += chunk.byteLength;
    if (length > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return concatenate(chunks, length);
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(maxBytes: number): SentinelError {
  return new SentinelError(
    "TOO_LARGE",
    `Cannot read the message: the body is larger than ${maxBytes} bytes`,
  );
}
