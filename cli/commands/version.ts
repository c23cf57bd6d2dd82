import process from "node:process";
import { EXIT } from "../exit.ts";
import type { Output } from "../output.ts";
import { runtimeName, VERSION } from "../version.ts";

/** Prints versions of the program and of what it runs on. */
export function version(output: Output): number {
  const runtime = runtimeName();
  const platform = `${process.platform} ${process.arch}`;
  if (output.isJson) output.json("version", { version: VERSION, runtime, platform });
  else output.line(`mcp-sentinel ${VERSION} · ${runtime} · ${platform}`);
  return EXIT.done;
}
