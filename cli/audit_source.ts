/** Where commands read the audit: of a gateway, or of the store of a configuration. */
import type { AuditRecord, AuditRun } from "../src/contract/audit.ts";
import { SentinelError } from "../src/contract/errors.ts";
import { openApiAudit } from "./audit_api.ts";
import { loadConfig } from "./config_file.ts";
import { CommandFailed, EXIT } from "./exit.ts";
import { stateFolder } from "./folders.ts";
import type { TargetOptions, TargetRequest } from "./target.ts";

/** A row, and what its hash was taken over. */
export interface AuditItem {
  readonly record: AuditRecord;
  readonly text: string;
}

export interface AuditAsked {
  /** In the filter grammar; `""` for all. */
  readonly filter: string;
  readonly order: "newest" | "oldest";
  readonly limit: number;
}

export interface AuditFound {
  readonly items: readonly AuditRecord[];
  /** There is more. */
  readonly isMore: boolean;
}

/** Everything of it rejects with CommandFailed. */
export interface AuditSource {
  /** What people call it. */
  readonly name: string;
  /** The first rows that match. */
  search(asked: AuditAsked): Promise<AuditFound>;
  /** All rows that match, oldest first, in pages. */
  each(filter: string): AsyncIterable<readonly AuditItem[]>;
  /** Oldest first. */
  runs(): Promise<readonly AuditRun[]>;
  /** Rows of one run after a number, by number; empty at the end. */
  run(instance: string, after: number): Promise<readonly AuditItem[]>;
  /**
   * Gives a function for rows that match and came since its last call, some at a time; its first call only finds
   * the place where they will come.
   */
  follow(filter: string): () => Promise<readonly AuditRecord[]>;
  /** After a failure: finds the gateway anew. */
  reopen(): Promise<void>;
  /** Rows that the store does not have yet, where that is known. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

/** Runs `work` with the audit that the options name. @throws CommandFailed */
export async function withAudit<Value>(
  request: TargetRequest,
  work: (source: AuditSource) => Promise<Value>,
): Promise<Value> {
  const source = await openAudit(request);
  try {
    return await work(source);
  } finally {
    await source.close();
  }
}

/**
 * With `--config` the store of that configuration, whether its gateway runs or not; else a gateway.
 * @throws CommandFailed, ConfigError
 */
async function openAudit(request: TargetRequest): Promise<AuditSource> {
  return request.options.config === undefined
    ? await openApiAudit(request)
    : await openStore(request);
}

async function openStore({ io, options }: TargetRequest): Promise<AuditSource> {
  if (namesGateway(options)) {
    const hint = "--config reads the store itself, the others ask a gateway";
    throw new CommandFailed(
      EXIT.usage,
      "--config and the name of a gateway exclude each other",
      hint,
    );
  }
  const { config, file, path } = await loadConfig({
    io,
    options: { config: options.config ?? "" },
  });
  const { openLocalAudit } = await import("../src/hosts/local_audit.ts");
  const opened = await asStored(() =>
    openLocalAudit({
      audit: config.audit,
      stateDir: stateFolder(io),
      source: path,
    })
  );
  return {
    name: file,
    search: (asked) => asStored(() => opened.search(asked)),
    each: (filter) => eachStored(opened.each(filter)),
    runs: () => asStored(() => opened.runs()),
    run: (instance, after) => asStored(() => opened.run(instance, after)),
    follow: (filter) => {
      const news = opened.follow(filter);
      return () => asStored(news);
    },
    reopen: () => Promise.resolve(),
    waiting: () => asStored(() => opened.waiting()),
    close: () => opened.close(),
  };
}

function namesGateway({ profile, ...options }: TargetOptions): boolean {
  return profile !== undefined ||
    Object.entries(options).some(([name, value]) =>
      name.startsWith("management") && value !== undefined
    );
}

async function* eachStored<Page>(pages: AsyncIterable<Page>): AsyncGenerator<Page, void> {
  const iterator = pages[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await asStored(() => iterator.next());
    if (done === true) return;
    yield value;
  }
}

/** What a store refused, as the failure of a command. */
async function asStored<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (thrown) {
    if (!(thrown instanceof SentinelError)) throw thrown;
    const { code, message, details: { reason } } = thrown;
    const exit = code === "INVALID_PARAMS"
      ? EXIT.usage
      : code === "CONFIG_INVALID"
      ? EXIT.badConfig
      : EXIT.failed;
    const said = reason === undefined || message.includes(reason) ? {} : { reason };
    throw new CommandFailed(exit, message, "", { error: code, ...said });
  }
}
