/** `authenticate`: who calls, by the token of the request. */
import { type Config, SentinelError } from "../../contract/mod.ts";
import { type AuthFailure, METRICS } from "../../contract/metrics.ts";
import type { Clock } from "../../ports/clock.ts";
import type { HttpClient } from "../../ports/http_client.ts";
import type { Log } from "../../ports/log.ts";
import type { Telemetry } from "../../ports/telemetry.ts";
import { Issuer } from "./issuer.ts";
import { Jwks } from "./jwks.ts";
import { ANONYMOUS, type Principal } from "./principal.ts";
import { readToken, TokenRefused } from "./token.ts";
import { TokenTable } from "./token_table.ts";

/** Between two lines of the log for the same reason: callers must not fill it. */
const LOG_MS = 1000;

export interface AuthenticatorOptions {
  /** In force now. */
  readonly config: () => Config;
  readonly clock: Clock;
  readonly http: HttpClient;
  readonly log: Log;
  readonly telemetry: Telemetry;
}

/**
 * Gives the principal of an `Authorization` header: at once for a token seen before, and while sign-in is off.
 * @throws SentinelError UNAUTHENTICATED (or rejects with it), always the same
 */
export type Authenticate = (authorization: string | undefined) => Principal | Promise<Principal>;

/** What a configuration makes of tokens; replaced as a whole, so nothing outlives a reload. */
interface InForce {
  readonly config: Config;
  /** Text of everything here that depends on the configuration. */
  readonly from: string;
  readonly isOn: boolean;
  readonly issuers: ReadonlyMap<string, Issuer>;
  readonly verified: TokenTable;
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const authenticator = new Authenticator(options);
  return (authorization) => authenticator.authenticate(authorization);
}

class Authenticator {
  readonly #options: AuthenticatorOptions;
  /** By URL: keys are kept over reloads. */
  #jwks: ReadonlyMap<string, Jwks> = new Map();
  #inForce: InForce;
  readonly #logged = new Map<AuthFailure, { at: number; more: number }>();

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#inForce = this.#make(options.config());
    // A rate needs a zero to start from.
    for (const reason of METRICS.sentinel_auth_failures_total.values.reason) this.#count(reason, 0);
  }

  authenticate(authorization: string | undefined): Principal | Promise<Principal> {
    const inForce = this.#current();
    if (!inForce.isOn) return ANONYMOUS;
    if (authorization === undefined) {
      throw this.#refused(new TokenRefused("missing", "the request has no token"));
    }
    const known = inForce.verified.find(authorization, this.#options.clock.now());
    return known ?? this.#verify(inForce, authorization);
  }

  async #verify({ issuers, verified }: InForce, authorization: string): Promise<Principal> {
    try {
      const token = readToken(authorization);
      const issuer = issuers.get(token.issuer);
      if (issuer === undefined) throw new TokenRefused("issuer", "the issuer is not configured");
      const principal = await issuer.verify(token);
      verified.put(authorization, principal, this.#options.clock.now());
      return principal;
    } catch (cause) {
      throw this.#refused(cause);
    }
  }

  #current(): InForce {
    const config = this.#options.config();
    const { config: before, from } = this.#inForce;
    if (config === before) return this.#inForce;
    if (textOf(config) === from) return this.#inForce = { ...this.#inForce, config };
    return this.#inForce = this.#make(config);
  }

  #make(config: Config): InForce {
    const { auth } = config;
    const roles = Object.keys(config.roles);
    const { clock } = this.#options;
    const jwks = new Map<string, Jwks>();
    const issuers = new Map<string, Issuer>();
    for (const entry of auth.jwt) {
      if (issuers.has(entry.issuer)) continue;
      const { jwks_url: url } = entry;
      const keys = url === undefined ? undefined : jwks.get(url) ?? this.#keysAt(url);
      if (url !== undefined && keys !== undefined) jwks.set(url, keys);
      issuers.set(entry.issuer, new Issuer({ config: entry, jwks: keys, roles, clock }));
    }
    this.#jwks = jwks;
    const isOn = auth.mode === "jwt";
    return { config, from: textOf(config), isOn, issuers, verified: new TokenTable() };
  }

  #keysAt(url: string): Jwks {
    const { clock, http, log } = this.#options;
    const failed = (reason: string) => log.write("issuer.unavailable", { url, reason });
    return this.#jwks.get(url) ?? new Jwks(url, { clock, http, failed });
  }

  /** The one answer to every bad token; what was wrong stays with the operator. */
  #refused(cause: unknown): SentinelError {
    if (!(cause instanceof TokenRefused)) {
      return new SentinelError("INTERNAL", "Internal error", {}, cause);
    }
    this.#count(cause.reason, 1);
    this.#note(cause);
    const message = "Cannot serve the request: no valid token";
    return new SentinelError("UNAUTHENTICATED", message, {}, cause);
  }

  #count(reason: AuthFailure, failures: number): void {
    this.#options.telemetry.series("sentinel_auth_failures_total", { reason }).add(failures);
  }

  #note({ reason, message }: TokenRefused): void {
    const now = this.#options.clock.monotonic();
    const last = this.#logged.get(reason);
    if (last !== undefined && now - last.at < LOG_MS) {
      last.more++;
      return;
    }
    this.#logged.set(reason, { at: now, more: 0 });
    const more = last === undefined || last.more === 0 ? {} : { more: last.more };
    this.#options.log.write("client.refused", { reason, detail: message, ...more });
  }
}

function textOf({ auth, roles }: Config): string {
  return JSON.stringify([auth, Object.keys(roles)]);
}
