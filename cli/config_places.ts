/** Where the keys of a loaded configuration stand: for commands that say which line decided. */
import type { Path } from "../src/config/issue.ts";
import type { LoadedConfig } from "./config_file.ts";

/** `sentinel.toml:41`, a variable or an option; undefined for a default. */
export type PlaceOf = (path: Path) => string | undefined;

/** Loads the parser that knows positions: not for commands that have nothing to point at. */
export async function configPlaces(
  { file, text, origin }: Pick<LoadedConfig, "file" | "text" | "origin">,
): Promise<PlaceOf> {
  const { Positions } = await import("../src/config/positions.ts");
  const positions = new Positions(text.replace(/^\ufeff/, ""));
  return (path) => {
    // The nearest table or list around a value that is a default, or was set as a whole.
    const around = path.map((_segment, index) => path.slice(0, path.length - index));
    const outside = around.map(origin).find((from) => from !== "file" && from !== "default");
    if (outside !== undefined) return outside;
    const written = around.find((one) => origin(one) === "file");
    return written === undefined ? undefined : `${file}:${positions.value(written).line}`;
  };
}
