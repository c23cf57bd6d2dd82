/** What a token is worth under a configuration, with the reason that callers are never told. */
import { Buffer } from "node:buffer";
import type { Config } from "../../contract/mod.ts";
import { Issuer } from "../../core/auth/issuer.ts";
import { Jwks } from "../../core/auth/jwks.ts";
import type { Principal } from "../../core/auth/principal.ts";
import { createGroundReader, createRoleReader, type RoleGround } from "../../core/auth/roles.ts";
import { readToken, TokenRefused, type UnverifiedToken } from "../../core/auth/token.ts";
import { isObject, type JsonObject } from "../../core/mcp/json.ts";
import { SystemClock } from "../clock.ts";
import { createFetchClient } from "../http_client/fetch_client.ts";

export interface TokenQuestion {
  readonly config: Config;
  /** Without `Bearer`. */
  readonly token: string;
}

export interface TokenAnswer {
  /** Who the caller is; undefined when the token is refused. */
  readonly principal: Principal | undefined;
  /** Why it is refused; reasons are those of the metric. */
  readonly problem: { readonly reason: string; readonly text: string } | undefined;
  /** Claims as they stand there: nothing of them is proven unless there is a principal. */
  readonly claims: Readonly<JsonObject>;
  readonly algorithm: string | undefined;
  /** Position in `auth.jwt` of the entry for its issuer. */
  readonly entry: number | undefined;
  readonly grounds: readonly RoleGround[];
  /** Roles it would give. */
  readonly roles: readonly string[];
}

/** Asks the issuer for its keys where it has them at a URL; nothing else is sent anywhere. */
export async function checkToken({ config, token }: TokenQuestion): Promise<TokenAnswer> {
  const claims = claimsIn(token);
  const entry = config.auth.jwt.findIndex(({ issuer }) => issuer === claims["iss"]);
  const issuer = config.auth.jwt[entry];
  const names = Object.keys(config.roles);
  const reading = issuer && { claim: issuer.roles_claim, map: issuer.roles_map, names };
  const known = {
    claims,
    algorithm: headerOf(token),
    entry: entry < 0 ? undefined : entry,
    grounds: reading === undefined ? [] : createGroundReader(reading)(claims),
    roles: reading === undefined ? [] : createRoleReader(reading)(claims),
  };
  try {
    const read = readToken(`Bearer ${token}`);
    if (issuer === undefined) throw new TokenRefused("issuer", "the issuer is not configured");
    return { ...known, principal: await verified(read, issuer, names), problem: undefined };
  } catch (thrown) {
    if (!(thrown instanceof TokenRefused)) throw thrown;
    const { reason, message } = thrown;
    return { ...known, principal: undefined, problem: { reason, text: message } };
  }
}

async function verified(
  token: UnverifiedToken,
  config: Config["auth"]["jwt"][number],
  roles: readonly string[],
): Promise<Principal> {
  const clock = new SystemClock();
  const http = createFetchClient();
  const failures: string[] = [];
  const failed = (reason: string) => void failures.push(reason);
  const url = config.jwks_url;
  const jwks = url === undefined ? undefined : new Jwks(url, { clock, http, failed });
  try {
    return await new Issuer({ config, jwks, roles, clock }).verify(token);
  } catch (thrown) {
    const [why] = failures;
    if (!(thrown instanceof TokenRefused) || why === undefined) throw thrown;
    throw new TokenRefused(thrown.reason, `${thrown.message} (${url ?? ""}: ${why})`, thrown);
  } finally {
    await http.close();
  }
}

function headerOf(token: string): string | undefined {
  const { alg } = partOf(token, 0);
  return typeof alg === "string" ? alg : undefined;
}

function claimsIn(token: string): JsonObject {
  return partOf(token, 1);
}

/** Empty for what is no JSON object. */
function partOf(token: string, index: number): JsonObject {
  try {
    const text = Buffer.from(token.split(".")[index] ?? "", "base64url").toString();
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {}; // what is wrong with it is told by who reads it strictly
  }
}
