import { randomBytes } from "node:crypto";
import type { Config } from "../../src/contract/config.ts";
import { NAME_PATTERN } from "../../src/contract/ids.ts";
import { globOf } from "../../src/contract/filter/glob.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { formatDuration, parseDuration } from "../../src/contract/units.ts";
import { loadConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import type { Output } from "../output.ts";
import { orExitCode } from "../start.ts";
import { claimsOf } from "../token_claims.ts";

type Issuer = Config["auth"]["jwt"][number];
/** An entry that shares a secret with us. */
type SecretIssuer = Issuer & { readonly secret: string };

interface TokenRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions & {
    readonly issuer?: string;
    readonly subject: string;
    readonly role?: readonly string[];
    readonly expires: string;
    /** `name=value` each. */
    readonly claim: readonly string[];
    readonly management?: true;
    readonly name: string;
    readonly scope: "read" | "admin";
  };
}

const MANAGEMENT_BYTES = 32;
const LONGEST_MS = 366 * 86_400_000;
/** As the gateway takes subjects. */
const SUBJECT = /^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]{1,255}$/u;

/** Prints a token and nothing else on stdout; what it is worth goes to stderr. Writes no file. */
export async function newToken(request: TokenRequest): Promise<number> {
  const { io, output, options } = request;
  if (options.management === true) return managementToken(request);
  const expiresMs = lifetimeOf(options.expires);
  if (!SUBJECT.test(options.subject)) {
    throw new CommandFailed(EXIT.usage, "--subject is not 1 to 255 printable characters");
  }
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const { config, file } = loaded;
  const issuer = issuerOf(config.auth.jwt, options.issuer, file);
  const roles = options.role ?? [];
  const now = Math.floor(io.clock.now() / 1000);
  const expires = now + Math.ceil(expiresMs / 1000);
  const claims = claimsOf({ rolesClaim: issuer.roles_claim, roles, given: options.claim });
  const token = await signed(issuer, {
    ...claims,
    iss: issuer.issuer,
    aud: issuer.audience,
    sub: options.subject,
    iat: now,
    exp: expires,
  });
  for (const warning of roleWarnings(roles, issuer, config)) output.warn(warning);
  const until = new Date(expires * 1000).toISOString();
  if (output.isJson) {
    const { issuer: name, audience } = issuer;
    const { subject } = options;
    output.json("token", { token, issuer: name, audience, subject, roles, expires: until });
    return EXIT.done;
  }
  output.line(token);
  const as = roles.length === 0 ? "without a role" : `as ${roles.join(", ")}`;
  output.note(
    `${options.subject} of ${issuer.issuer} ${as}, for ${
      formatDuration(expiresMs)
    } (until ${until})`,
  );
  return EXIT.done;
}

async function signed(
  { secret, algorithms }: SecretIssuer,
  claims: Readonly<Record<string, unknown>>,
): Promise<string> {
  const { SignJWT } = await import("jose/jwt/sign");
  return await new SignJWT(claims)
    .setProtectedHeader({ alg: algorithms?.[0] ?? "HS256", typ: "JWT" })
    .sign(new TextEncoder().encode(secret));
}

function lifetimeOf(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= 1000 && ms <= LONGEST_MS) return ms;
  const hint = 'write a number and a unit, such as "30m", "8h" or "7d"; at most 366d';
  throw new CommandFailed(EXIT.usage, `--expires ${JSON.stringify(text)} is no lifetime`, hint);
}

/** @throws CommandFailed when no entry, or more than one, can be meant */
function issuerOf(
  entries: readonly Issuer[],
  wanted: string | undefined,
  file: string,
): SecretIssuer {
  if (entries.length === 0) {
    const hint = 'add  mode = "jwt"  to [auth] and an [[auth.jwt]] block with a secret';
    throw new CommandFailed(EXIT.failed, `"${file}" has no [[auth.jwt]] entry`, hint);
  }
  const named = entries.filter(({ issuer }) => wanted === undefined || issuer === wanted);
  if (named.length === 0) throw unknownIssuer(entries, wanted ?? "");
  const usable = named.filter(hasSecret);
  const [only, ...more] = usable;
  if (only === undefined) {
    const names = named.map(({ issuer }) => issuer).join(", ");
    const hint = "ask that issuer for a token; only the secret of an entry signs one here";
    throw new CommandFailed(EXIT.failed, `${names} signs with keys of its own (jwks_url)`, hint);
  }
  if (more.length === 0) return only;
  const hint = usable.map(({ issuer }) => `--issuer ${issuer}`).join("\n        ");
  throw new CommandFailed(
    EXIT.usage,
    "several [[auth.jwt]] entries have a secret; which one?",
    hint,
  );
}

function hasSecret(entry: Issuer): entry is SecretIssuer {
  return entry.secret !== undefined;
}

function unknownIssuer(entries: readonly Issuer[], wanted: string): CommandFailed {
  const known = entries.map(({ issuer }) => issuer);
  const near = suggest(wanted, known);
  const hint = near === undefined ? `there are: ${known.join(", ")}` : `did you mean ${near}?`;
  return new CommandFailed(EXIT.usage, `there is no issuer ${JSON.stringify(wanted)}`, hint);
}

/** Roles of the token that give none of the gateway. */
function roleWarnings(
  roles: readonly string[],
  issuer: Issuer,
  { roles: known }: Config,
): string[] {
  const patterns = Object.keys(issuer.roles_map).map(globOf);
  return roles
    .filter((role) => !Object.hasOwn(known, role) && !patterns.some((matches) => matches(role)))
    .map((role) => {
      const near = suggest(role, Object.keys(known));
      const hint = near === undefined ? `add [roles.${role}]` : `did you mean "${near}"?`;
      return `there is no role "${role}"; ${hint}`;
    });
}

/** 256 random bits, and what to write into the configuration for them. */
function managementToken({ output, options: { name, scope } }: TokenRequest): number {
  if (!NAME_PATTERN.test(name)) {
    const hint = "use letters, digits, - and _, beginning with a letter or digit";
    throw new CommandFailed(EXIT.usage, `--name ${JSON.stringify(name)} cannot be used`, hint);
  }
  const token = randomBytes(MANAGEMENT_BYTES).toString("base64url");
  const variable = `SENTINEL_TOKEN_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;
  if (output.isJson) {
    output.json("management-token", { token, name, scope, variable });
    return EXIT.done;
  }
  output.line(token);
  output.note(
    [
      `Keep it in the variable ${variable} of the gateway, and add`,
      "",
      "[[management.tokens]]",
      `name = ${JSON.stringify(name)}`,
      `scope = ${JSON.stringify(scope)}`,
      `value = "\${env:${variable}}"`,
    ].join("\n"),
  );
  return EXIT.done;
}
