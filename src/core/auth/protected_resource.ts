/** What tells a client where to get a token: RFC 9728 and the challenge of RFC 6750. */
import type { Config } from "../../contract/mod.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

export interface ProtectedResource {
  /**
   * The metadata document (JSON text) under a path; undefined where there is none.
   * @param host value of the `Host` header, already judged
   */
  document(path: string, host: string | undefined): string | undefined;
  /** Value of `WWW-Authenticate` for a request to a path. */
  challenge(path: string, host: string | undefined, presented: boolean): string;
}

/** From the configuration; without sign-in there is no document. */
export function createProtectedResource({ server, auth }: Config): ProtectedResource {
  const base = (host: string | undefined) =>
    server.public_url?.replace(/\/+$/, "") ?? `http://${(host ?? server.listen).toLowerCase()}`;
  const issuers = auth.jwt.map(({ issuer }) => issuer).filter(isWebAddress);
  return {
    document(path, host) {
      const resource = path.slice(WELL_KNOWN.length);
      if (auth.mode !== "jwt" || !path.startsWith(WELL_KNOWN)) return undefined;
      if (resource !== "" && resource !== server.path) return undefined;
      return JSON.stringify({
        resource: base(host) + resource,
        ...(issuers.length === 0 ? {} : { authorization_servers: [...new Set(issuers)] }),
        bearer_methods_supported: ["header"],
        resource_name: server.name,
      });
    },
    challenge(path, host, presented) {
      // A toolset belongs to the endpoint it is part of; every other path to the gateway as a whole.
      const isEndpoint = path === server.path || path.startsWith(`${server.path}/`);
      const place = `${base(host)}${WELL_KNOWN}${isEndpoint ? server.path : ""}`;
      const error = presented ? ', error="invalid_token"' : "";
      return `Bearer resource_metadata="${place}"${error}`;
    },
  };
}

function isWebAddress(issuer: string): boolean {
  return /^https?:\/\//i.test(issuer) && URL.canParse(issuer);
}
