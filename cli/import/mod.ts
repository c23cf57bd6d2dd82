/** Servers that the clients of this machine know, in the form of the configuration. Reads only. */
export type { Found, FoundServer } from "./found.ts";
export { findForge } from "./find_forge.ts";
export { findServers } from "./find.ts";
export { tomlOf } from "./toml.ts";
