import { Buffer } from "node:buffer";

/** One secret in every spelling a program may write it in. */
export const SPELLINGS: Readonly<Record<string, (secret: string) => string>> = {
  "as it is": (secret) => secret,
  "in JSON": (secret) => JSON.stringify(secret).slice(1, -1),
  "in JSON with escaped slashes": (secret) =>
    JSON.stringify(secret).slice(1, -1).replaceAll("/", "\\/"),
  "in ASCII JSON": (secret) => asciiJson(secret, (hex) => hex),
  "in ASCII JSON with capitals": (secret) => asciiJson(secret, (hex) => hex.toUpperCase()),
  "in JSON in JSON": (secret) => JSON.stringify(JSON.stringify({ a: secret })).slice(10, -4),
  "in JSON in a URL": (secret) => encodeURIComponent(JSON.stringify(secret).slice(1, -1)),
  "percent-encoded": encodeURIComponent,
  "percent-encoded with small digits": (secret) =>
    encodeURIComponent(secret).replace(/%../g, (digits) => digits.toLowerCase()),
  "percent-encoded to the last character": (secret) =>
    Buffer.from(secret).toString("hex").replace(/../g, "%$&"),
  "in a form": (secret) => new URLSearchParams({ a: secret }).toString().slice(2),
  "in a URL in a URL": (secret) => encodeURIComponent(encodeURIComponent(secret)),
  "in hexadecimal": (secret) => Buffer.from(secret).toString("hex"),
  "in hexadecimal capitals": (secret) => Buffer.from(secret).toString("hex").toUpperCase(),
  ...Object.fromEntries(
    ["", "a", "ab", "abc", "user:"].flatMap((before) =>
      ["", "z", "zy"].flatMap((behind) => {
        const all = (secret: string) => Buffer.from(before + secret + behind);
        const around = `${before}…${behind}`;
        return [
          [`in Base64 of ${around}`, (secret: string) => all(secret).toString("base64")],
          [
            `in Base64 without padding of ${around}`,
            (secret: string) => all(secret).toString("base64").replaceAll("=", ""),
          ],
          [`in base64url of ${around}`, (secret: string) => all(secret).toString("base64url")],
          [
            `in percent-encoded Base64 of ${around}`,
            (secret: string) => encodeURIComponent(all(secret).toString("base64")),
          ],
        ] as const;
      })
    ),
  ),
};

function asciiJson(secret: string, spelled: (hex: string) => string): string {
  return JSON.stringify(secret).slice(1, -1).replace(
    /[\u0080-\uffff]/g,
    (char) => `\\u${spelled(char.charCodeAt(0).toString(16).padStart(4, "0"))}`,
  );
}
