/** Methods whose calls are recorded: those that can reach a backend. The others read what the gateway has. */
const AUDITED: ReadonlySet<string> = new Set([
  "tools/call",
  "prompts/get",
  "resources/read",
  "resources/subscribe",
  "resources/unsubscribe",
  "completion/complete",
]);

export function isAudited(method: string): boolean {
  return AUDITED.has(method);
}
