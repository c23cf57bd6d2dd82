/** The bundle in workerd, the runtime of Cloudflare's Workers, driven by Miniflare. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEdge } from "../../.ci/build/edge.ts";
import { REPOSITORY } from "../support/runtime.ts";
import type { RunningEdge, StartEdge } from "./edges.ts";

interface Worker {
  readonly ready: Promise<URL>;
  dispose(): Promise<void>;
}

interface Miniflare {
  readonly Miniflare: new (options: Readonly<Record<string, unknown>>) => Worker;
}

/** No flag beside it: what the gateway needs must be what every isolate has. */
const COMPATIBILITY_DATE = "2026-01-01";

/** The bundle as it is deployed. */
export async function builtBundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "sentinel-edge-"));
  try {
    const file = join(folder, "edge.js");
    const warnings = await buildEdge(file);
    if (warnings.length > 0) throw new Error(warnings.join("\n"));
    return await readFile(file, "utf8");
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Starts isolates with this bundle. */
export function startInWorkerd(bundle: string): StartEdge {
  const require = createRequire(join(REPOSITORY, "tests", "servers", "package.json"));
  const { Miniflare } = require("miniflare") as Miniflare;
  return async (bindings): Promise<RunningEdge> => {
    const worker = new Miniflare({
      modules: [{ type: "ESModule", path: "edge.js", contents: bundle }],
      compatibilityDate: COMPATIBILITY_DATE,
      bindings,
      // Its own would come from the internet.
      cf: {},
    });
    const base = await worker.ready;
    return {
      fetch: (request) => fetch(moved(request, base)),
      stop: () => worker.dispose(),
    };
  };
}

function moved(request: Request, base: URL): Request {
  const { pathname, search } = new URL(request.url);
  const headers = new Headers(request.headers);
  headers.set("host", base.host);
  return new Request(new URL(pathname + search, base), {
    method: request.method,
    headers,
    signal: request.signal,
    ...(request.body === null ? {} : { body: request.body, duplex: "half" }),
  } as RequestInit);
}
