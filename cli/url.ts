/** Addresses of management APIs. */
import { CommandFailed, EXIT } from "./exit.ts";

/** @throws CommandFailed for what is no address of a gateway, or would send a token in the clear */
export function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const example = "such as https://gateway.example.com:8809";
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new CommandFailed(EXIT.usage, `"${text}" is no address of a gateway`, example);
  }
  if (url.username !== "" || url.password !== "") {
    const hint = "give the token with --token-env or --token-file";
    throw new CommandFailed(EXIT.usage, "an address must not hold a password", hint);
  }
  const isOrigin = /^\/(manage(\/v1\/?)?)?$/.test(url.pathname) && url.search === "" &&
    url.hash === "";
  if (!isOrigin) {
    throw new CommandFailed(EXIT.usage, `"${text}" has a path, which no gateway has`, example);
  }
  if (url.protocol === "http:" && !isLoopback(url)) {
    const hint = "use https://, or a tunnel to this machine";
    throw new CommandFailed(EXIT.usage, `${url.origin} would see the token unencrypted`, hint);
  }
  return url.origin;
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}
