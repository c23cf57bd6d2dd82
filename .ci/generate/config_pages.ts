/** The reference and the JSON Schema of `sentinel.toml`, which the configuration writes itself. */
interface ConfigModule {
  readonly configReference: () => string;
  readonly jsonSchema: () => unknown;
}

async function configModule(): Promise<ConfigModule> {
  return await import("../../src/config/mod.ts");
}

export async function configPage(): Promise<string> {
  return (await configModule()).configReference();
}

export async function schemaFile(): Promise<string> {
  return JSON.stringify((await configModule()).jsonSchema(), null, 2) + "\n";
}
