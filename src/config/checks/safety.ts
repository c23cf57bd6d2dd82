/** What would make a start unsafe: without sign-in nothing but loopback is served. */
import { isLoopback, type ListenAddress, parseListen } from "../../contract/config/listen.ts";
import type { Finding } from "../issue.ts";
import { quote, type Table, tableAt, tablesIn, textAt } from "../raw.ts";
import { referencesIn } from "../references.ts";
import type { Report } from "./report.ts";

/** Bytes; shorter ones can be guessed. */
const SHORTEST_TOKEN = 32;
/** Each is compared with what comes; a list without end would make that slow. */
const MAX_TOKENS = 32;

export function checkSafety(tree: Table, report: Report): void {
  const data = parseListen(textAt(tree, "server", "listen") ?? "127.0.0.1:8808");
  const control = parseListen(textAt(tree, "management", "listen") ?? "127.0.0.1:8809");
  const isOpen = textAt(tree, "auth", "mode") !== "jwt";
  if (isOpen && data !== undefined && !isLoopback(data.host)) report(openListener(data));
  if (control !== undefined && !isLoopback(control.host)) {
    checkRemoteManagement(tableAt(tree, "management"), report);
  }
  checkTokenCount(tableAt(tree, "management"), report);
  if (data !== undefined && control !== undefined) checkSameAddress(data, control, report);
}

function openListener(address: ListenAddress): Finding {
  const { host, port } = address;
  const shown = `${host === "" ? "*" : host.includes(":") ? `[${host}]` : host}:${port}`;
  return {
    code: "unsafe",
    path: ["server", "listen"],
    at: "value",
    message: `refusing to listen on ${shown} without authentication`,
    hint: `turn sign-in on ([auth] mode = "jwt"), or listen on 127.0.0.1:${port}`,
  };
}

function checkRemoteManagement(management: Table, report: Report): void {
  const refuse = (message: string, hint: string): void => {
    const place = { path: ["management", "listen"], at: "value" } as const;
    report({ ...place, code: "unsafe", message: `refusing remote management ${message}`, hint });
  };
  if (management["allow_remote"] !== true) {
    return refuse("without allow_remote", "add  allow_remote = true  or listen on 127.0.0.1:8809");
  }
  if (!("tls" in management)) refuse("without TLS", "add [management.tls] with cert and key");
  const tokens = tablesIn(management["tokens"]).map(([, token]) => textAt(token, "value") ?? "");
  const weak = tokens.some(isWeak);
  if (tokens.length === 0 || weak) {
    const needed = `a token of at least ${SHORTEST_TOKEN} bytes`;
    refuse(`without ${needed}`, "make one with  openssl rand -base64 32");
  }
}

function checkTokenCount(management: Table, report: Report): void {
  const count = tablesIn(management["tokens"]).length;
  if (count <= MAX_TOKENS) return;
  report({
    code: "wrong_value",
    path: ["management", "tokens", MAX_TOKENS],
    at: "table",
    message: `there are ${count} tokens, at most ${MAX_TOKENS} are allowed`,
    hint: "remove those nobody uses any more",
  });
}

/** A reference that could not be resolved is reported as such, not as weak. */
export function isWeak(token: string): boolean {
  if (referencesIn(token).length > 0) return false;
  return new TextEncoder().encode(token).length < SHORTEST_TOKEN;
}

function checkSameAddress(data: ListenAddress, control: ListenAddress, report: Report): void {
  if (data.port !== control.port || data.port === 0 || data.host !== control.host) return;
  report({
    code: "conflict",
    path: ["management", "listen"],
    at: "value",
    message: `server and management cannot both listen on ${quote(`${data.host}:${data.port}`)}`,
    hint: "choose another port for one of them",
  });
}
