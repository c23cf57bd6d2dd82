/** What each field of the clients' entries means here. */
import { Buffer } from "node:buffer";
import { isAbsolute, resolve } from "node:path";
import { isHarmless, looksLikeCredential } from "../../src/config/credentials.ts";
import { isTable } from "../../src/config/raw.ts";
import { visible } from "../text.ts";
import type { TextRequest } from "./credentials.ts";
import type { NoteCode } from "./found.ts";
import { isCredentialFlag, isOneCredential } from "./scan.ts";
import type { Text } from "./text.ts";

/** A draft while its fields are read. */
export interface Building {
  url: Text | undefined;
  command: Text | undefined;
  cwd: Text | undefined;
  transport: "http_sse" | undefined;
  timeout: string | undefined;
  allow: readonly string[] | undefined;
  deny: readonly string[] | undefined;
  isEnabled: boolean;
  readonly args: Text[];
  readonly env: Map<string, Text>;
  readonly headers: Map<string, Text>;
  readonly inheritEnv: string[];
  /** Absolute folder of the project. */
  readonly workspace: string;
  readonly envFile: ReadonlyMap<string, string> | undefined;
  /** Translates variables and marks credentials; `as` says that all of it is one. */
  text(raw: string, as?: TextRequest["as"]): Text;
  note(code: NoteCode, text: string): void;
  /** The entry cannot be taken over. */
  refuse(reason: string): void;
}

type ReadField = (building: Building, value: unknown, field: string) => void;

/** Longer texts are nothing a person has written, and slow to search. */
const LONGEST_TEXT = 32 * 1024;
const MOST_ITEMS = 1_000;

const approvals: ReadField = (building, value, field) => {
  const isEmpty = value === false || (Array.isArray(value) && value.length === 0);
  if (!isEmpty) building.note("left_out", `"${field}" has no meaning here and was left out`);
};

const headers: ReadField = (building, value, field) => {
  for (const [name, text] of textsIn(building, value, field)) addHeader(building, name, text);
};

const toolList = (key: "allow" | "deny"): ReadField => (building, value, field) => {
  const names = Array.isArray(value) ? value.filter((name) => typeof name === "string") : undefined;
  if (names === undefined || names.length > MOST_ITEMS) {
    return wrong(building, field, "a list of names");
  }
  building[key] = names.filter((name) => name !== "");
};

const address: ReadField = (building, value, field) => {
  const raw = textIn(building, value, field);
  if (raw !== undefined) building.url ??= urlOf(building, raw);
};

const kind: ReadField = (building, value) => {
  const name = String(value).toLowerCase();
  if (name === "sse" || name === "http_sse") building.transport = "http_sse";
  if (name === "ws" || name === "websocket") {
    building.refuse("its transport is WebSocket, which backends do not have");
  }
};

/** Fields of all clients; where two mean different things by one name, the shape of the value decides. */
export const FIELDS: Readonly<Record<string, ReadField>> = {
  // A process.
  command: (building, value, field) => {
    const raw = textIn(building, value, field);
    if (raw !== undefined) building.command = building.text(raw);
  },
  args: (building, value, field) => readArgs(building, value, field),
  env: (building, value, field) => {
    for (const [name, raw] of textsIn(building, value, field)) addEnv(building, name, raw);
  },
  envFile: (building) => readEnvFile(building),
  env_vars: (building, value, field) => {
    const names = Array.isArray(value)
      ? value.filter((name) => typeof name === "string")
      : undefined;
    if (names === undefined) return wrong(building, field, "a list of names");
    building.inheritEnv.push(...names);
  },
  cwd: (building, value, field) => {
    const raw = textIn(building, value, field);
    if (raw !== undefined) building.cwd = folderOf(building, raw);
  },
  // A URL.
  url: address,
  serverUrl: address,
  httpUrl: address,
  headers,
  http_headers: headers,
  env_http_headers: (building, value, field) => {
    for (const [name, variable] of textsIn(building, value, field)) {
      if (isVariableName(variable)) setHeader(building, name, [{ variable }]);
      else building.note("left_out", `the header "${visible(name)}" names no variable`);
    }
  },
  bearer_token_env_var: (building, value, field) => {
    const variable = textIn(building, value, field);
    if (variable === undefined) return;
    if (isVariableName(variable)) setHeader(building, "Authorization", ["Bearer ", { variable }]);
    else building.note("left_out", `"${field}" names no variable`);
  },
  type: kind,
  transport: kind,
  transportType: kind,
  // Both.
  disabled: (building, value) => {
    if (value === true) building.isEnabled = false;
  },
  enabled: (building, value) => {
    if (value === false) building.isEnabled = false;
  },
  tool_timeout_sec: (building, value, field) => {
    const isTime = typeof value === "number" && value >= 0.001 && value <= 86_400;
    if (!isTime) return wrong(building, field, "a number of seconds");
    building.timeout = Number.isInteger(value) ? `${value}s` : `${Math.round(value * 1000)}ms`;
  },
  tools: toolList("allow"),
  enabled_tools: toolList("allow"),
  includeTools: toolList("allow"),
  disabledTools: toolList("deny"),
  disabled_tools: toolList("deny"),
  excludeTools: toolList("deny"),
  // Permissions of the client.
  autoApprove: approvals,
  auto_approve: approvals,
  alwaysAllow: approvals,
  autoAllow: approvals,
  trust: approvals,
};

function readArgs(building: Building, value: unknown, field: string): void {
  if (!Array.isArray(value) || value.length > MOST_ITEMS) {
    return wrong(building, field, "a list of texts");
  }
  let flag = "";
  for (const item of value) {
    const raw = textIn(building, item, field);
    if (raw === undefined) return;
    const isValue = isCredentialFlag(flag) && !raw.startsWith("-");
    const as = { hint: flag.replace(/^-+/, ""), isNamed: false };
    building.args.push(isValue ? building.text(raw, as) : building.text(raw));
    flag = /^--?[A-Za-z][\w-]*$/.test(raw) ? raw : "";
  }
}

function addEnv(building: Building, name: string, raw: string): void {
  const as = { hint: name, isNamed: true };
  const isCredential = looksLikeCredential(name) || isOneCredential(raw);
  building.env.set(name, isCredential ? building.text(raw, as) : building.text(raw));
}

/** Every value of such a file may be a credential: that is what they are for. */
function readEnvFile(building: Building): void {
  const { envFile } = building;
  if (envFile === undefined) {
    return building.note("left_out", '"envFile" could not be read: set its variables in "env"');
  }
  for (const [name, value] of envFile) {
    if (building.env.has(name)) continue;
    const isPlain = isHarmless(value);
    building.env.set(name, isPlain ? [value] : [{ secret: value, hint: name, isNamed: true }]);
  }
  building.note("changed", `the ${envFile.size} variables of "envFile" stand in its env now`);
}

function addHeader(building: Building, name: string, raw: string): void {
  const { scheme = "", rest = "" } =
    /^(?<scheme>Bearer|Basic|Token)\s+(?<rest>.*)$/is.exec(raw)?.groups ?? {};
  const isBearer = /^authorization$/i.test(name) && scheme !== "" && rest !== "";
  const hint = isBearer && !/^basic$/i.test(scheme) ? "TOKEN" : name.replace(/^x-/i, "");
  const as = { hint, isNamed: false };
  setHeader(
    building,
    name,
    looksLikeCredential(name) ? building.text(raw, as) : building.text(raw),
  );
}

/** Names of headers differ in case only for the eye. */
function setHeader({ headers }: Building, name: string, text: Text): void {
  for (const other of headers.keys()) {
    if (other.toLowerCase() === name.toLowerCase()) headers.delete(other);
  }
  headers.set(name, text);
}

/** User and password of a URL become a header, which is what a browser would send. */
function urlOf(building: Building, raw: string): Text {
  const { scheme, user, rest } =
    /^(?<scheme>[a-z]+:\/\/)(?<user>[^/?#]*)@(?<rest>.*)$/is.exec(raw)?.groups ?? {};
  if (scheme === undefined || user === undefined || rest === undefined) return building.text(raw);
  if (building.headers.has("Authorization") || user.includes("${")) {
    building.note(
      "changed",
      "user and password of its URL were left out: credentials belong into headers",
    );
  } else {
    const pair = user.includes(":") ? user : `${user}:`;
    const secret = Buffer.from(percentDecoded(pair)).toString("base64");
    setHeader(building, "Authorization", ["Basic ", {
      secret,
      hint: "BASIC_AUTH",
      isNamed: false,
    }]);
  }
  return building.text(scheme + rest);
}

/** Relative folders count from the project, not from where the gateway is started. */
function folderOf(building: Building, raw: string): Text {
  const text = building.text(raw);
  const [first = ""] = text;
  const isRelative = typeof first === "string" && !isAbsolute(first) && !first.startsWith("~");
  return isRelative ? building.text(resolve(building.workspace, raw)) : text;
}

function textIn(building: Building, value: unknown, field: string): string | undefined {
  const isPlain = typeof value === "number" || typeof value === "boolean";
  const text = isPlain ? String(value) : value;
  if (typeof text !== "string") {
    building.refuse(`"${field}" holds what is no text`);
    return undefined;
  }
  if (text.length > LONGEST_TEXT) {
    building.refuse(`"${field}" is longer than ${LONGEST_TEXT} characters`);
    return undefined;
  }
  return text;
}

function textsIn(building: Building, value: unknown, field: string): [string, string][] {
  if (!isTable(value)) {
    wrong(building, field, "a table of texts");
    return [];
  }
  const entries = Object.entries(value).filter(([, item]) => item !== null);
  if (entries.length > MOST_ITEMS) {
    building.refuse(`"${field}" has more than ${MOST_ITEMS} entries`);
  }
  return entries.slice(0, MOST_ITEMS).flatMap(([name, item]): [string, string][] => {
    const text = textIn(building, item, field);
    return text === undefined ? [] : [[name, text]];
  });
}

function wrong(building: Building, field: string, wanted: string): void {
  building.note("left_out", `"${field}" is not ${wanted}`);
}

function isVariableName(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text);
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // not percent-encoded after all
  }
}
