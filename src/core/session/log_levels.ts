/** Levels of `logging/setLevel`, least severe first (RFC 5424 names). */
const LOG_LEVELS = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;

/** Position of a level, or undefined for something that is none. */
export function severityOf(level: unknown): number | undefined {
  const index = (LOG_LEVELS as readonly unknown[]).indexOf(level);
  return index === -1 ? undefined : index;
}

/** Name of a position. */
export function levelOf(severity: number | undefined): string | undefined {
  return severity === undefined ? undefined : LOG_LEVELS[severity];
}

/** The more verbose of two levels; what is no level counts as none. */
export function moreVerbose(
  one: string | undefined,
  other: string | undefined,
): string | undefined {
  return mostVerbose([one, other].map((level) => ({ logSeverity: severityOf(level) })));
}

/** The most verbose level any of these asked for; undefined when none did. */
export function mostVerbose(
  sessions: Iterable<{ readonly logSeverity: number | undefined }>,
): string | undefined {
  let lowest: number | undefined;
  for (const { logSeverity } of sessions) {
    if (logSeverity !== undefined && logSeverity < (lowest ?? Infinity)) lowest = logSeverity;
  }
  return lowest === undefined ? undefined : LOG_LEVELS[lowest];
}
