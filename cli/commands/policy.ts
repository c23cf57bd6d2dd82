import type { Ground as ShownGround, PolicyTest } from "../../src/contract/cli/acts.ts";
import { formatPath } from "../../src/config/issue.ts";
import { suggest } from "../../src/contract/suggest.ts";
import { configPlaces, type PlaceOf } from "../config_places.ts";
import { loadConfig, type LoadedConfig } from "../config_file.ts";
import type { ConfigOptions } from "../config_options.ts";
import { CommandFailed, EXIT } from "../exit.ts";
import type { Io } from "../io.ts";
import { columns, type Output } from "../output.ts";
import { loadPolicy, type PolicyDoor } from "../policy_door.ts";
import { orExitCode } from "../start.ts";
import { visible, visibleCopy } from "../text.ts";
import { readArguments } from "../tool_arguments.ts";
import { bearerToken } from "../token_input.ts";

interface PolicyRequest {
  readonly io: Io;
  readonly output: Output;
  readonly options: ConfigOptions & {
    readonly role?: readonly string[];
    /** A token, or `-` for stdin. */
    readonly token?: string;
    /** Variable that holds it. */
    readonly tokenEnv?: string;
    readonly subject?: string;
    readonly backend?: string;
    readonly args?: string;
  };
  /** Role and tool, or the tool alone. */
  readonly words: readonly string[];
}

type Principal = Parameters<PolicyDoor["judgeCall"]>[0]["principal"];
type Ground = Awaited<ReturnType<PolicyDoor["judgeCall"]>>["decision"];

/** Says whether a caller may call a tool, by the configuration alone; exit code 1 when not. */
export async function testPolicy(request: PolicyRequest): Promise<number> {
  const { io, output, options } = request;
  const asked = askedFor(request);
  const loaded = await orExitCode(output, () => loadConfig({ io, options }));
  if (typeof loaded === "number") return loaded;
  const door = await loadPolicy();
  const principal = await principalOf(request, { loaded, door, asked });
  const args = await readArguments({ io, json: options.args });
  const { backend } = options;
  checkBackend(backend, loaded);
  const now = io.clock.now();
  const { config } = loaded;
  const { tool } = asked;
  const judged = await door.judgeCall({ config, principal, tool, backend, args, now });
  const placeOf = await configPlaces(loaded);
  const shown = (ground: Ground) => shownGround(ground, placeOf);
  const answer: PolicyTest = {
    allowed: judged.allowed,
    tool,
    ...(judged.backend === undefined ? {} : { backend: judged.backend }),
    caller: {
      ...(principal.issuer === undefined ? {} : { principal: principal.id }),
      roles: principal.roles ?? null,
    },
    decision: shown(judged.decision),
    also: judged.also.map(shown),
    ...(judged.changed === undefined ? {} : { arguments: { ...judged.changed } }),
  };
  if (output.isJson) output.json("policy-test", answer);
  else print(visibleCopy(answer), output);
  if (config.auth.mode === "none" && principal.roles !== undefined) {
    output.warn(
      'auth.mode is "none": until it is "jwt", every caller sees and may call everything',
    );
  }
  return judged.allowed ? EXIT.done : EXIT.failed;
}

interface Asked {
  readonly role: string | undefined;
  readonly tool: string;
}

/** The words are role and tool, unless an option says who calls. */
function askedFor({ options: { role, token, tokenEnv }, words }: PolicyRequest): Asked {
  const isKnown = role !== undefined || token !== undefined || tokenEnv !== undefined;
  if (isKnown && (token ?? tokenEnv) !== undefined && role !== undefined) {
    throw new CommandFailed(EXIT.usage, "give --role or a token, not both");
  }
  const [first = "", second, ...more] = words;
  if (more.length === 0 && isKnown && second === undefined) return { role: undefined, tool: first };
  if (more.length === 0 && !isKnown) {
    return second === undefined ? { role: undefined, tool: first } : { role: first, tool: second };
  }
  const hint = "mcp-sentinel policy test ROLE TOOL,  or --role ROLE TOOL,  or --token - TOOL";
  throw new CommandFailed(EXIT.usage, "too many words: one role and one tool", hint);
}

interface Known {
  readonly loaded: LoadedConfig;
  readonly door: PolicyDoor;
  readonly asked: Asked;
}

async function principalOf(
  { io, options }: PolicyRequest,
  { loaded: { config, file }, door, asked }: Known,
): Promise<Principal> {
  if (options.token !== undefined || options.tokenEnv !== undefined) {
    const token = await bearerToken({ io, text: options.token, variable: options.tokenEnv });
    const { principal, problem } = await door.checkToken({ config, token });
    if (principal !== undefined) return principal;
    const message = `the token is not valid: ${visible(problem?.text ?? "")}`;
    throw new CommandFailed(EXIT.unauthorized, message, "mcp-sentinel auth explain  says more");
  }
  const subject = options.subject ?? "somebody";
  const roles = asked.role === undefined ? options.role : [asked.role];
  if (roles === undefined && config.auth.mode === "none") return door.signedOut;
  if (roles === undefined) {
    const hint = "mcp-sentinel policy test ROLE TOOL,  or --role ROLE TOOL,  or --token - TOOL";
    throw new CommandFailed(EXIT.usage, "who calls? sign-in is on, so it depends", hint);
  }
  for (const role of roles) {
    if (Object.hasOwn(config.roles, role)) continue;
    const known = Object.keys(config.roles);
    const near = suggest(role, known);
    const there = known.length === 0 ? "there is none" : `there are ${known.join(", ")}`;
    const hint = near === undefined ? there : `did you mean ${near}?`;
    throw new CommandFailed(EXIT.usage, `"${file}" has no role "${visible(role)}"`, hint);
  }
  return door.signedInAs(subject, roles);
}

function checkBackend(name: string | undefined, { config, file }: LoadedConfig): void {
  const known = Object.keys(config.backends);
  if (name === undefined || known.includes(name)) return;
  const near = suggest(name, known);
  const hint = near === undefined ? `there are ${known.join(", ")}` : `did you mean ${near}?`;
  throw new CommandFailed(EXIT.usage, `"${file}" has no backend "${visible(name)}"`, hint);
}

function shownGround({ kind, text, path }: Ground, placeOf: PlaceOf): ShownGround {
  const source = path === undefined ? undefined : placeOf(path);
  return {
    kind,
    text,
    ...(path === undefined ? {} : { key: formatPath(path) }),
    ...(source === undefined ? {} : { source }),
  };
}

function print(answer: PolicyTest, output: Output): void {
  const { allowed, tool, backend, caller: { principal, roles }, decision, also } = answer;
  const verdict = output.paint(allowed ? "good" : "error", allowed ? "allowed" : "denied");
  const who = principal ?? (roles === null ? "anybody" : `role ${roles.join(", ")}`);
  output.line(`${verdict}   ${who} → ${tool}${backend === undefined ? "" : ` (${backend})`}`);
  const rows = [decision, ...also].map(({ text, source }, index) =>
    [
      index === 0 ? "decided" : index === 1 ? "also" : "",
      source === undefined ? text : `${text}   ${output.paint("place", source)}`,
    ] as const
  );
  for (const row of columns(rows)) output.line(row);
  if (answer.arguments !== undefined) {
    output.line("");
    output.line("rules change the arguments to");
    for (const line of JSON.stringify(answer.arguments, null, 2).split("\n")) output.line(line);
  }
  const unknown = "whether the tool exists, its schema, held definitions and switches of operators";
  output.note(`only a running gateway knows ${unknown}: mcp-sentinel tools show ${tool}`);
}
