/** The gateway as a team runs it: sign-in, roles, limits, checked arguments, metrics, audit. */
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { LIMITS } from "./configs.ts";
import type { RuntimeName } from "./options.ts";
import type { FullRole } from "./targets.ts";
import { signedToken } from "./token.ts";

/** Longer than any run. */
const TOKEN_SECONDS = 86_400;
const ISSUER = "https://issuer.bench.example";
const AUDIENCE = "https://gateway.bench.example";
/** Variables the configurations refer to. */
const SECRET = "BENCH_JWT_SECRET";
const OPERATOR = "BENCH_OPERATOR_TOKEN";

/** What callers and operators of the gateways of one run show. */
export interface Access {
  /** Of a caller with the role `bench`. */
  readonly token: string;
  /** Of an operator who may read. */
  readonly operator: string;
}

/** Makes secrets of this run and puts those that gateways need into the environment they inherit. */
export function grantAccess(): Access {
  const secret = randomBytes(32).toString("hex");
  const operator = randomBytes(32).toString("hex");
  process.env[SECRET] = secret;
  process.env[OPERATOR] = operator;
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: ISSUER, aud: AUDIENCE, sub: "bench", iat: now, exp: now + TOKEN_SECONDS };
  return { token: signedToken({ ...claims, roles: ["bench"] }, secret), operator };
}

/** `server.name` of a gateway, which begins the name of its folder. */
export function gatewayName(role: FullRole, runtime: RuntimeName): string {
  return `${role}-${runtime}`;
}

/** Writes the configurations of one runtime; each has a path, so a folder, of its own. Gives the paths. */
export function writeFullConfigs(
  folder: string,
  { runtime, backend }: { runtime: RuntimeName; backend: URL },
): Record<FullRole, string> {
  const within = join(folder, runtime);
  mkdirSync(within, { recursive: true });
  const write = (role: FullRole, store: Gateway["store"]) => {
    const path = join(within, `${role}.toml`);
    writeFileSync(path, config({ name: gatewayName(role, runtime), backend, store }));
    return path;
  };
  return { full: write("full", "sqlite"), unrecorded: write("unrecorded", "off") };
}

interface Gateway {
  readonly name: string;
  readonly backend: URL;
  /** Of the audit. */
  readonly store: "sqlite" | "off";
}

function config({ name, backend, store }: Gateway): string {
  return `version = 1

[server]
name = "${name}"
listen = "127.0.0.1:0"

[management]
listen = "127.0.0.1:0"
tokens = [{ name = "bench", scope = "read", value = "\${env:${OPERATOR}}" }]

[auth]
mode = "jwt"

[[auth.jwt]]
issuer = "${ISSUER}"
audience = "${AUDIENCE}"
secret = "\${env:${SECRET}}"

[roles.bench]
tools = ["bench__*"]
deny = ["bench__delete_*"]

${LIMITS}
[catalog]
validate_arguments = true

[audit]
store = "${store}"

[backends.bench]
url = ${JSON.stringify(backend.href)}
`;
}
