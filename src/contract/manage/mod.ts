export * from "./answers.ts";
export * from "./routes.ts";
