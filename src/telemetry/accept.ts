/** The part of content negotiation that a scrape needs (RFC 9110, 12.5.1). */

/** True when OpenMetrics is asked for at least as much as plain text; what is not named is not asked for. */
export function prefersOpenMetrics(accept: string | undefined): boolean {
  let openMetrics = 0;
  let text = 0;
  for (const range of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = range.toLowerCase().split(";").map((part) => part.trim());
    const weight = weightOf(parameters);
    if (type === "application/openmetrics-text" && isOurVersion(parameters)) {
      openMetrics = Math.max(openMetrics, weight);
    } else if (type === "text/plain") text = Math.max(text, weight);
  }
  return openMetrics > 0 && openMetrics >= text;
}

/** A weight that cannot be read counts as none given. */
function weightOf(parameters: readonly string[]): number {
  const weight = Number(valueOf(parameters, "q") ?? "1");
  return weight >= 0 && weight <= 1 ? weight : 1;
}

function isOurVersion(parameters: readonly string[]): boolean {
  return ["1.0.0", undefined].includes(valueOf(parameters, "version"));
}

function valueOf(parameters: readonly string[], name: string): string | undefined {
  const found = parameters.find((parameter) => parameter.startsWith(`${name}=`));
  return found?.slice(name.length + 1).replaceAll('"', "").trim();
}
