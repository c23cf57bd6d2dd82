/** A text of a client file taken apart: plain pieces, variables, and what must not be written down. */

export interface Variable {
  readonly variable: string;
  readonly fallback?: string;
}

export interface Secret {
  readonly secret: string;
  /** Names the variable that will stand for it, such as `API_KEY`. */
  readonly hint: string;
  /** The hint is the variable's own name, not only what kind of thing it is. */
  readonly isNamed: boolean;
  /** Only what the variable has when the environment does not say otherwise. */
  readonly isDefault?: true;
}

export type Part = string | Variable | Secret;
export type Text = readonly Part[];

export function isSecret(part: Part): part is Secret {
  return typeof part !== "string" && "secret" in part;
}

export function isVariable(part: Part): part is Variable {
  return typeof part !== "string" && "variable" in part;
}

/** The text if nothing in it has to be replaced, else undefined. */
export function plainText(text: Text): string | undefined {
  return text.every((part) => typeof part === "string") ? text.join("") : undefined;
}

/** Neighboring plain pieces as one, empty ones gone. */
export function joined(parts: Iterable<Part>): Text {
  const text: Part[] = [];
  for (const part of parts) {
    const last = text.at(-1);
    if (part === "") continue;
    if (typeof part === "string" && typeof last === "string") text[text.length - 1] = last + part;
    else text.push(part);
  }
  return text;
}

/** How a text reads in the configuration; `variableFor` names the variable of a secret. */
export function written(text: Text, variableFor: (secret: Secret) => string): string {
  return text.map((part, index) => {
    if (isSecret(part)) return `\${env:${variableFor(part)}}`;
    if (isVariable(part)) {
      const { variable, fallback } = part;
      return fallback === undefined ? `\${env:${variable}}` : `\${env:${variable}:-${fallback}}`;
    }
    const plain = part.replaceAll("${", () => "$${");
    // A dollar sign right before a reference would make it plain text.
    const next = text[index + 1];
    if (next === undefined || typeof next === "string") return plain;
    const dollars = trailingDollars(plain);
    const kept = plain.slice(0, plain.length - dollars.length);
    return dollars === "" ? plain : `${kept}\${env:SENTINEL_DOLLAR:-${dollars}}`;
  }).join("");
}

/** The dollar signs at the end of a plain piece. */
export function trailingDollars(plain: string): string {
  return /\$*$/.exec(plain)?.[0] ?? "";
}
