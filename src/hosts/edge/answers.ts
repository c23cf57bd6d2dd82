/** What is answered without a core. */
import type { EdgeProblem } from "./unsupported.ts";

/** The gateway cannot start: everything that is wrong, at once. */
export function unusableResponse(problems: readonly EdgeProblem[]): Response {
  const body = {
    type: "about:blank",
    title: "The gateway cannot start",
    status: 503,
    detail: `Cannot use the configuration: ${problems[0]?.message ?? "unknown reason"}`,
    code: "CONFIG_INVALID",
    problems,
  };
  return Response.json(body, {
    status: 503,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store" },
  });
}

/** A stream of what belongs to no request: nothing here could send on it. */
export function noStandingStream(): Response {
  return new Response(null, { status: 405, headers: { allow: "POST, DELETE" } });
}

/** Calls `ended` when nothing of the answer is left to send. */
export function watched(response: Response, ended: () => void): Response {
  const { body, status, headers } = response;
  const isStream = headers.get("content-type")?.startsWith("text/event-stream") === true;
  if (body === null || !isStream) {
    ended();
    return response;
  }
  const reader = body.getReader();
  const relayed = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      controller.close();
      ended();
    },
    cancel: async (reason) => {
      ended();
      await reader.cancel(reason);
    },
  });
  return new Response(relayed, { status, headers });
}
