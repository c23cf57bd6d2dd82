/** One issuer of tokens: what it may sign with, whom its tokens are for, what its claims mean. */
import type { CryptoKey, JWTPayload, JWTVerifyOptions } from "jose";
import type { Config } from "../../contract/mod.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Jwks } from "./jwks.ts";
import { loadJose } from "./load_jose.ts";
import type { Principal } from "./principal.ts";
import { createRoleReader, type RoleReader } from "./roles.ts";
import { TokenRefused, type UnverifiedToken } from "./token.ts";

type IssuerConfig = Config["auth"]["jwt"][number];

/** What a date can hold, seconds since 1970; later ones are no dates. */
const LATEST = 8.64e12;
/** As OpenID Connect bounds it; control characters would forge lines in records. */
const SUBJECT = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;

export interface IssuerOptions {
  readonly config: IssuerConfig;
  /** Its public keys; undefined when it shares a secret. */
  readonly jwks: Jwks | undefined;
  /** Roles of the configuration. */
  readonly roles: readonly string[];
  readonly clock: Clock;
}

export class Issuer {
  readonly #options: IssuerOptions;
  readonly #algorithms: readonly string[];
  readonly #secret: Uint8Array;
  readonly #rolesOf: RoleReader;
  /** Begins every id of its principals; a subject cannot reach into it. */
  readonly #prefix: string;

  constructor(options: IssuerOptions) {
    const { config, roles, jwks } = options;
    this.#options = options;
    this.#algorithms = config.algorithms ??
      (jwks === undefined ? ["HS256"] : ["RS256", "ES256", "EdDSA"]);
    this.#secret = new TextEncoder().encode(config.secret ?? "");
    const { roles_claim: claim, roles_map: map } = config;
    this.#rolesOf = createRoleReader({ claim, map, names: roles });
    this.#prefix = `${config.issuer.replaceAll("%", "%25").replaceAll("#", "%23")}#`;
  }

  /** @throws TokenRefused */
  async verify(token: UnverifiedToken): Promise<Principal> {
    if (!this.#algorithms.includes(token.algorithm)) {
      throw new TokenRefused("algorithm", "the issuer does not sign with this algorithm");
    }
    const keys = await this.#options.jwks?.keysFor(token) ?? [this.#secret];
    let refused: unknown;
    for (const key of keys) {
      try {
        return this.#principalOf(await this.#claims(token.text, key));
      } catch (cause) {
        refused = cause;
        if (!(cause instanceof TokenRefused) || cause.reason !== "signature") break;
      }
    }
    throw refused;
  }

  async #claims(text: string, key: CryptoKey | Uint8Array): Promise<JWTPayload> {
    const { config: { issuer, audience, clock_skew }, clock } = this.#options;
    const options: JWTVerifyOptions = {
      issuer,
      audience,
      algorithms: [...this.#algorithms],
      requiredClaims: ["exp", "sub"],
      clockTolerance: clock_skew / 1000,
      currentDate: new Date(clock.now()),
    };
    const { jwtVerify, errors } = await loadJose();
    try {
      return (await jwtVerify(text, key, options)).payload;
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) {
        throw new TokenRefused("expired", "the token has expired", cause);
      }
      if (cause instanceof errors.JWTClaimValidationFailed) throw refusedClaim(cause);
      throw new TokenRefused("signature", "the signature is not the issuer's", cause);
    }
  }

  #principalOf(claims: JWTPayload): Principal {
    const { sub: subject, exp } = claims;
    if (typeof subject !== "string" || !SUBJECT.test(subject)) {
      throw new TokenRefused("malformed", '"sub" is not 1 to 255 printable characters');
    }
    if (typeof exp !== "number" || !(exp <= LATEST)) {
      throw new TokenRefused("malformed", '"exp" is no date');
    }
    const { issuer, clock_skew } = this.#options.config;
    const roles = this.#rolesOf(claims);
    return {
      id: this.#prefix + subject,
      subject,
      issuer,
      roles,
      roleKey: roles.join(" "),
      expiresAt: exp * 1000 + clock_skew,
    };
  }
}

function refusedClaim(
  { claim, reason, message, cause }: {
    readonly claim: string;
    readonly reason: string;
    readonly message: string;
    readonly cause?: unknown;
  },
): TokenRefused {
  if (claim === "aud") return new TokenRefused("audience", "the token is for somebody else", cause);
  const early = claim === "nbf" && reason === "check_failed";
  return new TokenRefused(early ? "not_yet_valid" : "malformed", message, cause);
}
