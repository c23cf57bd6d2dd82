import type { TokenCheck } from "../../src/contract/cli/acts.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { configPlaces, type PlaceOf } from "../config_places.ts";
import { loadConfig, type LoadedConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import { asFailure, connect } from "../management.ts";
import { columns, type Output } from "../output.ts";
import { loadPolicy, type PolicyDoor } from "../policy_door.ts";
import { namesOf } from "../show.ts";
import { orExitCode } from "../start.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { longDuration, visible, visibleCopy } from "../text.ts";
import { bearerToken } from "../token_input.ts";

interface ExplainRequest extends TargetRequest {
  readonly options: TargetOptions & Pick<ConfigOptions, "envFile"> & { readonly tokenEnv?: string };
  /** The token, `-` or undefined for stdin. */
  readonly token: string | undefined;
}

type Answer = Awaited<ReturnType<PolicyDoor["checkToken"]>>;

/** Says what a token is worth and why; exit code 5 when the gateway would refuse it. */
export async function explainToken(request: ExplainRequest): Promise<number> {
  const { io, output, options } = request;
  if (request.token === undefined && options.tokenEnv === undefined && io.ask !== undefined) {
    const hint = "mcp-sentinel auth explain < token.txt,  or --token-env NAME";
    throw new CommandFailed(EXIT.usage, "there is no token to explain", hint);
  }
  const { config: file, envFile } = options;
  const own = { ...(file === undefined ? {} : { config: file }), ...(envFile ? { envFile } : {}) };
  const loaded = await orExitCode(output, () => loadConfig({ io, options: own }));
  if (typeof loaded === "number") return loaded;
  const token = await bearerToken({ io, text: request.token, variable: options.tokenEnv });
  const door = await loadPolicy();
  const answer = await door.checkToken({ config: loaded.config, token });
  const placeOf = await configPlaces(loaded);
  const tools = answer.principal === undefined
    ? undefined
    : await shownTools(request, loaded, { door, roles: answer.roles });
  const check = checkOf(answer, { loaded, placeOf, tools });
  if (output.isJson) output.json("token-check", check);
  else print(visibleCopy(check), { output, now: io.clock.now() });
  if (loaded.config.auth.mode === "none") {
    output.warn('auth.mode is "none": the gateway looks at no token');
  }
  return check.valid ? EXIT.done : EXIT.unauthorized;
}

interface Shown {
  readonly door: PolicyDoor;
  readonly roles: readonly string[];
}

/** Only a running gateway knows which tools there are; without one they are left out. */
async function shownTools(
  request: ExplainRequest,
  { config }: LoadedConfig,
  { door, roles }: Shown,
): Promise<TokenCheck["tools"]> {
  try {
    const { client, target } = await connect(request);
    const all = await asFailure(() =>
      namesOf(client.all("capabilities", { query: { filter: "kind:tool" } }))
    );
    return { from: target.name, names: door.toolsShown(config, roles, all) };
  } catch (thrown) {
    if (!(thrown instanceof CommandFailed)) throw thrown;
    const [reason = ""] = thrown.message.split("\n");
    request.output.note(`which tools it sees is not known: ${reason}`);
    return undefined;
  }
}

interface Facts {
  readonly loaded: LoadedConfig;
  readonly placeOf: PlaceOf;
  readonly tools: TokenCheck["tools"];
}

function checkOf(answer: Answer, { loaded: { config }, placeOf, tools }: Facts): TokenCheck {
  const { principal, problem, claims, algorithm, entry, grounds, roles } = answer;
  const { iss, sub, aud } = claims;
  const issuer = entry === undefined ? undefined : config.auth.jwt[entry];
  const source = entry === undefined ? undefined : placeOf(["auth", "jwt", entry, "issuer"]);
  const audience = [aud].flat().filter((one): one is string => typeof one === "string");
  const expires = momentOf(claims["exp"]);
  const notBefore = momentOf(claims["nbf"]);
  const values = grounds.map(({ value, role, pattern }) => {
    const path = pattern === undefined
      ? ["roles", role ?? ""]
      : ["auth", "jwt", entry ?? 0, "roles_map", pattern];
    const place = role === undefined ? undefined : placeOf(path);
    return {
      value,
      ...(role === undefined ? {} : { role }),
      ...(pattern === undefined ? {} : { pattern }),
      ...(place === undefined ? {} : { source: place }),
    };
  });
  return {
    valid: principal !== undefined,
    ...(problem === undefined
      ? {}
      : { problem: { ...problem, text: `${problem.text}${remedy(answer, config.auth.jwt)}` } }),
    ...(algorithm === undefined ? {} : { algorithm }),
    ...(typeof iss === "string" ? { issuer: iss } : {}),
    ...(entry === undefined ? {} : { matched: `auth.jwt.${entry}` }),
    ...(source === undefined ? {} : { source }),
    ...(audience.length === 0 ? {} : { audience }),
    ...(typeof sub === "string" ? { subject: sub } : {}),
    ...(expires === undefined ? {} : { expires }),
    ...(notBefore === undefined ? {} : { notBefore }),
    ...(issuer === undefined ? {} : { rolesClaim: issuer.roles_claim }),
    values,
    roles,
    ...(tools === undefined ? {} : { tools }),
  };
}

/** What would have been right. */
function remedy(
  { problem, claims, algorithm, entry }: Answer,
  issuers: LoadedConfig["config"]["auth"]["jwt"],
): string {
  const issuer = entry === undefined ? undefined : issuers[entry];
  if (problem?.reason === "issuer") {
    const known = issuers.map((one) => one.issuer);
    const near = typeof claims["iss"] === "string" ? suggest(claims["iss"], known) : undefined;
    if (near !== undefined) return `; did you mean ${near}?`;
    return known.length === 0 ? "; there is no [[auth.jwt]] entry" : `: ${known.join(", ")}`;
  }
  if (issuer === undefined) return "";
  if (problem?.reason === "audience") return `: ${issuer.audience} is wanted`;
  if (problem?.reason !== "algorithm") return "";
  const fallback = issuer.secret === undefined ? ["RS256", "ES256", "EdDSA"] : ["HS256"];
  return `: ${algorithm ?? "none"} instead of ${(issuer.algorithms ?? fallback).join(", ")}`;
}

/** Seconds since 1970 as they stand in tokens; undefined for what is no date. */
function momentOf(seconds: unknown): string | undefined {
  if (typeof seconds !== "number") return undefined;
  const date = new Date(seconds * 1000);
  return Number.isNaN(date.getTime()) ? undefined : date.toISOString();
}

const MOST_TOOLS = 20;

interface Reader {
  readonly output: Output;
  readonly now: number;
}

function print(check: TokenCheck, { output, now }: Reader): void {
  const { paint } = output;
  const { valid, problem, subject = "nobody", issuer = "an unnamed issuer" } = check;
  const verdict = valid
    ? `${paint("good", "valid")}   ${subject} of ${issuer}`
    : `${paint("error", "refused")}   ${problem?.text ?? ""}`;
  output.line(verdict);
  const entry = check.matched === undefined ? "no entry" : [check.matched, check.source].join(" ");
  const rows: (readonly [string, string | undefined])[] = [
    ["issuer", `${issuer}   ${paint("place", entry.trim())}`],
    ["signature", `${signatureText(check)}, ${check.algorithm ?? "no algorithm"}`],
    ["audience", check.audience?.join(", ")],
    ["subject", check.subject],
    ["expires", check.expires && `${check.expires}, ${relative(check.expires, now)}`],
    ["valid from", check.notBefore],
    ["roles", rolesText(check)],
    ...check.values.map(({ value, role, pattern, source = "" }) => {
      const why = pattern === undefined ? "by its name" : `roles_map "${pattern}"`;
      const gives = role === undefined ? "none" : `${role}, ${why}   ${paint("place", source)}`;
      return ["", `${value} → ${gives}`] as const;
    }),
    ["tools", toolsText(check)],
  ];
  const known = rows.filter((row): row is [string, string] => row[1] !== undefined);
  for (const row of columns(known)) output.line(row);
}

function signatureText({ valid, problem }: TokenCheck): string {
  if (valid) return "verified";
  const checkedBefore = ["expired", "not_yet_valid", "audience"];
  return checkedBefore.includes(problem?.reason ?? "") ? "verified" : "not verified";
}

function rolesText({ roles, rolesClaim, values }: TokenCheck): string | undefined {
  if (rolesClaim === undefined) return undefined;
  const none = values.some(({ role }) => role !== undefined) ? "" : " (no value gives a role)";
  return `${roles.join(", ")}${none}   from the claim ${rolesClaim}`;
}

function toolsText({ tools }: TokenCheck): string | undefined {
  if (tools === undefined) return undefined;
  const { from, names } = tools;
  const more = names.length > MOST_TOOLS ? ` and ${names.length - MOST_TOOLS} more` : "";
  const shown = names.length === 0 ? "none" : names.slice(0, MOST_TOOLS).join(", ");
  return `${shown}${more}   of ${visible(from)}`;
}

function relative(moment: string, now: number): string {
  const seconds = (Date.parse(moment) - now) / 1000;
  return seconds < 0 ? `${longDuration(-seconds)} ago` : `in ${longDuration(seconds)}`;
}
