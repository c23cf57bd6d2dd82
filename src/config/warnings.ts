import type { Config } from "../contract/config.ts";
import { isWeak } from "./checks/safety.ts";
import { quote } from "./raw.ts";

type Token = Config["management"]["tokens"][number];

/**
 * What works but should be looked after, one sentence each.
 * @param now milliseconds since 1970; undefined: expiry is not looked at
 */
export function warningsFor(config: Config, now: number | undefined): string[] {
  const { management, kill } = config;
  const { tokens } = management;
  const warnings = tokens.flatMap((token) => warningsOf(token, now));
  const isSilent = kill.tools.length + kill.backends.length > 0 && kill.reason === undefined;
  if (isSilent) warnings.push('[kill] gives callers no reason: add  reason = "…"');
  return [...warnings, ...twins(tokens), ...idleRoles(config)];
}

function warningsOf({ name, value, expires }: Token, now: number | undefined): string[] {
  const warnings: string[] = [];
  if (isWeak(value)) {
    const fix = "make one with  openssl rand -base64 32";
    warnings.push(`management token ${quote(name)} is short enough to be guessed: ${fix}`);
  }
  if (now !== undefined && expires !== undefined && expires <= now) {
    const at = new Date(expires).toISOString();
    warnings.push(`management token ${quote(name)} is not accepted any more: it expired ${at}`);
  }
  return warnings;
}

/** The record could not tell who acted. */
function twins(tokens: readonly Token[]): string[] {
  return [...Map.groupBy(tokens, ({ value }) => value).values()].flatMap((same) => {
    const names = [...new Set(same.map(({ name }) => quote(name)))];
    return names.length < 2 ? [] : [`management tokens ${names.join(" and ")} are the same`];
  });
}

/** Who wrote roles believes that they protect something. */
function idleRoles({ auth, roles }: Config): string[] {
  if (auth.mode !== "none" || Object.keys(roles).length === 0) return [];
  return [
    '[roles] protects nothing while auth.mode is "none": everybody sees and may call everything',
  ];
}
