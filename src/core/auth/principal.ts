/** Who calls: verified, never what a client says about itself. */
export interface Principal {
  /** Issuer and subject; unique over all issuers. Limits, sessions and records go by it. */
  readonly id: string;
  readonly subject: string;
  /** Undefined while sign-in is off. */
  readonly issuer?: string;
  /** Roles of the configuration, sorted; undefined while sign-in is off: everything is allowed then. */
  readonly roles: readonly string[] | undefined;
  /** The same for every principal with the same roles; keys caches of views. */
  readonly roleKey: string;
  /** Wall time from which the token is not accepted any more, milliseconds since 1970. */
  readonly expiresAt?: number;
}

/** Every caller while sign-in is off. */
export const ANONYMOUS: Principal = {
  id: "anonymous",
  subject: "anonymous",
  roles: undefined,
  roleKey: "",
};

/** How operators see a caller; empty while sign-in is off. */
export function shownPrincipal({ id, roles }: Principal): { readonly principal?: string } {
  return roles === undefined ? {} : { principal: id };
}
