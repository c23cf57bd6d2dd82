/** Replaces a secret in output. */
export const MASK = "«secret»";

/**
 * A function that replaces every known secret in a text, also in Base64, percent-encoded and JSON-escaped
 * form. Without secrets it returns the text itself.
 */
export function masker(secrets: readonly string[]): (text: string) => string {
  const forms = [...new Set(secrets.flatMap(formsOf))].sort((a, b) => b.length - a.length);
  if (forms.length === 0) return (text) => text;
  const any = new RegExp(forms.map((form) => RegExp.escape(form)).join("|"), "g");
  return (text) => text.replace(any, MASK);
}

function formsOf(secret: string): string[] {
  const bytes = new TextEncoder().encode(secret);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return [
    secret,
    base64,
    base64.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    encodeURIComponent(secret.toWellFormed()),
    JSON.stringify(secret).slice(1, -1),
  ];
}
