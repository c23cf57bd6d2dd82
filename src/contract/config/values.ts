/** Values that several sections share. `noun` names them in messages, `issue.message` is the hint. */
import * as v from "valibot";
import { NAME_PATTERN } from "../ids.ts";
import { isCidr, parseListen } from "./listen.ts";

/** Names of devices on Windows: a file of that name can be neither made nor removed there. */
const DEVICE_NAME = /^(con|prn|aux|nul|com\d|lpt\d)$/i;

/** Name of a backend, toolset or role: becomes part of paths, metrics and tool names. */
export const name = v.pipe(
  v.string(),
  v.metadata({ noun: "name" }),
  v.regex(NAME_PATTERN, "use 1 to 64 letters, digits, - and _, beginning with a letter or digit"),
  v.check(
    (text) => !DEVICE_NAME.test(text),
    "this name is reserved by some systems; choose another",
  ),
);

/** Text for people: line ends and tabs are fine, other control characters are not. */
export const text = v.pipe(
  v.string(),
  v.metadata({ noun: "text" }),
  // deno-lint-ignore no-control-regex -- finding control characters is the point
  v.check((value) => !/[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.test(value), "remove the control character"),
);

/** Handed to the operating system, which ends it at the first NUL. */
export const osText = v.pipe(
  v.string(),
  v.metadata({ noun: "text" }),
  v.check((value) => !value.includes("\0"), "remove the NUL character"),
);

/** Name pattern; `*` is the only wildcard. */
export const pattern = v.pipe(
  v.string(),
  v.metadata({ noun: "pattern" }),
  v.minLength(1, "write a name; * stands for any characters"),
  v.maxLength(256, "use at most 256 characters"),
);

/** List of name patterns. */
export const patterns = v.array(pattern);

/** Absolute http or https URL. */
export const httpUrl = v.pipe(
  v.string(),
  v.metadata({ noun: "URL" }),
  v.check(isHttpUrl, "write an absolute URL that begins with http:// or https://"),
  v.check(hasNoUserInfo, "leave user name and password out; credentials belong into headers"),
);

/** The same, or nothing. */
export const optionalHttpUrl = v.pipe(
  v.string(),
  v.metadata({ noun: "URL" }),
  v.check(
    (value) => value === "" || (isHttpUrl(value) && hasNoUserInfo(value)),
    'write an http:// or https:// URL without credentials, or "" for none',
  ),
);

/** `host:port` to listen on. */
export const listen = v.pipe(
  v.string(),
  v.metadata({ noun: "listen address" }),
  v.check(
    (value) => parseListen(value) !== undefined,
    'write host:port with a port up to 65535, such as "127.0.0.1:8808"',
  ),
);

/** Network in CIDR form. */
export const cidr = v.pipe(
  v.string(),
  v.metadata({ noun: "network" }),
  v.check(isCidr, 'write address/bits, such as "10.0.0.0/8"; one address is "192.0.2.7/32"'),
);

/** Whole number from 1. */
export const count = v.pipe(
  v.number(),
  v.metadata({ noun: "count" }),
  v.integer("use a whole number"),
  v.minValue(1, "use at least 1"),
  v.maxValue(1_000_000_000, "use at most 1000000000"),
);

/** Fraction from 0 to 1. */
export const fraction = v.pipe(
  v.number(),
  v.metadata({ noun: "fraction" }),
  v.minValue(0, "use a number from 0 to 1"),
  v.maxValue(1, "use a number from 0 to 1"),
);

/** Path of a file on the gateway's machine. */
export const filePath = v.pipe(
  osText,
  v.metadata({ noun: "path" }),
  v.minLength(1, "write the path of a file"),
);

/** One word out of a few; `noun` completes "is not a …". */
export function oneOf<const Words extends readonly [string, ...string[]]>(
  noun: string,
  words: Words,
) {
  return v.pipe(v.picklist(words), v.metadata({ noun }));
}

/** Certificate and private key, both PEM files. */
export const tls = { cert: filePath, key: filePath };

function isHttpUrl(value: string): boolean {
  return /^https?:\/\/[^/]/i.test(value) && URL.canParse(value);
}

function hasNoUserInfo(value: string): boolean {
  return !/^[a-z]+:\/\/[^/?#]*@/i.test(value);
}
