import { PIXEL } from "./fixture_media.ts";

interface FixtureResource {
  readonly name: string;
  readonly description: string;
  readonly mimeType: string;
  readonly body: { text: string } | { blob: string };
}

/** The resources that the suite reads by URI. */
export const RESOURCES: Readonly<Record<string, FixtureResource>> = {
  "test://static-text": {
    name: "Static text",
    description: "Always the same text",
    mimeType: "text/plain",
    body: { text: "This is the content of the static text resource." },
  },
  "test://static-binary": {
    name: "Static binary",
    description: "Always the same image",
    mimeType: "image/png",
    body: { blob: PIXEL },
  },
  "test://watched-resource": {
    name: "Watched resource",
    description: "Can be subscribed to",
    mimeType: "text/plain",
    body: { text: "Watched resource content" },
  },
};

export const TEMPLATE = {
  uriTemplate: "test://template/{id}/data",
  name: "Template",
  description: "One document for each id",
  mimeType: "application/json",
};

const TEMPLATE_URI = /^test:\/\/template\/([^/]+)\/data$/;

/** What `resources/read` answers; undefined when there is no such resource. */
export function readResource(uri: string): Record<string, unknown> | undefined {
  const known = RESOURCES[uri];
  if (known !== undefined) return { uri, mimeType: known.mimeType, ...known.body };
  const id = TEMPLATE_URI.exec(uri)?.[1];
  if (id === undefined) return undefined;
  const document = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: TEMPLATE.mimeType, text: JSON.stringify(document) };
}
