/** What a collector is told of the process that sends: what the configuration and the standard variables say. */
import process from "node:process";
import { VERSION } from "../version.ts";

export interface ResourceFacts {
  /** `server.name`. */
  readonly name: string;
  readonly instance: string;
}

/** `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` win; nothing of the machine or the command line is told. */
export function resourceAttributes({ name, instance }: ResourceFacts): Record<string, string> {
  const service = process.env["OTEL_SERVICE_NAME"] ?? "";
  return {
    "service.name": name,
    "service.version": VERSION,
    "service.instance.id": instance,
    ...listed(process.env["OTEL_RESOURCE_ATTRIBUTES"] ?? ""),
    ...(service === "" ? {} : { "service.name": service }),
  };
}

/** `key=value,key=value`, percent-encoded; what is not so is left out. */
function listed(text: string): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const pair of text.split(",")) {
    const [, key, value] = /^\s*([^=\s]+)=(.*)$/.exec(pair) ?? [];
    if (key === undefined || value === undefined) continue;
    attributes[key] = decoded(value.trim());
  }
  return attributes;
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
