import manifest from "../../package.json" with { type: "json" };

/** Version of this gateway, as in package.json. */
export const VERSION: string = manifest.version;
