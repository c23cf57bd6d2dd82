import { type Layer, LAYERS } from "../../tests/arch/layers.ts";
import { code, table } from "./markdown.ts";

/** The table of who may import whom, for the page on architecture. */
export function layersTable(): string {
  const rows = Object.values(LAYERS).map((layer) => [
    code(layer.folder),
    importsText(layer),
    packagesText(layer),
    layer.builtins ? "yes" : "no",
  ]);
  return table(["folder", "may import, besides itself", "packages", "runtime builtins"], rows);
}

function importsText({ imports, types = [], doors = [], dynamic = [], separate }: Layer): string {
  const parts = [
    ...imports,
    ...types.map((name) => `${name} (types)`),
    ...doors.map(code),
    ...dynamic.map((file) => `${code(file)} by dynamic import`),
  ];
  const text = parts.length === 0 ? "–" : parts.join(", ");
  return separate === true ? `${text}; never a sibling` : text;
}

function packagesText({ packages, typePackages = [] }: Layer): string {
  if (packages === "any") return "any";
  const parts = [...packages.map(code), ...typePackages.map((name) => `${code(name)} (types)`)];
  return parts.length === 0 ? "–" : parts.join(", ");
}
