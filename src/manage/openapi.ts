import { type RouteRow, ROUTES } from "../contract/manage/mod.ts";
import { operationOf, templateOf } from "./openapi/operation.ts";
import { componentSchemas } from "./openapi/schemas.ts";

/**
 * The route table as OpenAPI 3.1 document, plain JSON.
 * @param version of the product
 */
export function openapiDocument(version: string): Record<string, unknown> {
  return {
    openapi: "3.1.1",
    info: {
      title: "MCP Sentinel management API",
      description:
        "State and operations of one gateway. Every answer is one JSON object with the " +
        "`revision` of the gateway it was read at; members may be added within a version.",
      version,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "http://127.0.0.1:8809", description: "Default of `management.listen`." }],
    paths: pathsOf(Object.entries<RouteRow>(ROUTES)),
    components: {
      schemas: componentSchemas(),
      securitySchemes: {
        read: bearer("Token of scope `read`: looks at everything, changes nothing."),
        admin: bearer("Token of scope `admin`: may also change."),
      },
    },
  };
}

function pathsOf(routes: readonly (readonly [string, RouteRow])[]): Record<string, unknown> {
  const byPath = Map.groupBy(routes, ([, row]) => templateOf(row.path));
  return Object.fromEntries(
    [...byPath].map(([path, same]) => [
      path,
      Object.fromEntries(same.map(([id, row]) => [row.method.toLowerCase(), operationOf(id, row)])),
    ]),
  );
}

function bearer(description: string) {
  return { type: "http", scheme: "bearer", description };
}
