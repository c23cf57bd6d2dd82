/** Addresses of gateways as clients have them. */
import { CommandFailed, EXIT } from "../exit.ts";
import { visible } from "../text.ts";

/** `server.path` where nothing is said. */
export const DEFAULT_PATH = "/mcp";

/** The address as clients get it. @throws CommandFailed for what is none, or holds a credential */
export function checkedEndpoint(text: string): string {
  const example = "such as https://gateway.example.com/mcp";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CommandFailed(EXIT.usage, `"${visible(text)}" is no address of a gateway`, example);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    const message = "an address must hold no credentials and no query";
    throw new CommandFailed(EXIT.usage, message, "--token-env NAME says where the token is");
  }
  if (url.pathname === "/") url.pathname = DEFAULT_PATH;
  return url.href;
}
