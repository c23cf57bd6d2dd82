/** Where the audit is kept: its journal in the gateway's folder, and the store of `[audit]`. */
import { join } from "node:path";
import { uuidv7 } from "uuidv7";
import { type Config, SentinelError } from "../contract/mod.ts";
import type { AuditStores } from "../core/mod.ts";
import type { AuditJournal, AuditSink } from "../ports/audit.ts";

const MAX_SEGMENT = 16 * 1024 * 1024;
/** Files a full journal has at least: only what is delivered to its end goes. */
const SEGMENTS = 16;
/** A start waits no longer for the store. */
const OPEN_MS = 2000;

type AuditConfig = Config["audit"];

/**
 * Opens both; undefined when nothing is to be recorded.
 * @param folder of the gateway; without one the journal is in memory, and `sqlite` records nothing
 * @throws SentinelError AUDIT_UNAVAILABLE when the folder cannot be used, CONFIG_INVALID for tables of a newer version
 */
export async function openAuditStores(
  config: AuditConfig,
  folder: string | undefined,
): Promise<AuditStores | undefined> {
  const sink = await openSink(config, folder);
  if (sink === undefined) return undefined;
  try {
    await opened(sink);
    return { journal: await openJournal(folder, config.journal), sink };
  } catch (thrown) {
    await sink.close();
    throw thrown;
  }
}

/** Tables that must not be touched are said at the start; a store that is away may come later. */
async function opened(sink: AuditSink): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, OPEN_MS);
  const open = sink.open().catch((cause: unknown) => {
    if (cause instanceof SentinelError && cause.code === "CONFIG_INVALID") throw cause;
  });
  try {
    await Promise.race([open, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param maxBytes size at which it is full: a file of it must go long before */
async function openJournal(folder: string | undefined, maxBytes: number): Promise<AuditJournal> {
  const instance = uuidv7();
  if (folder === undefined) {
    const { MemoryAuditJournal } = await import("../stores/memory/audit_journal.ts");
    return new MemoryAuditJournal(instance);
  }
  const { openAuditJournal } = await import("../stores/file/audit_journal.ts");
  const segmentBytes = Math.min(MAX_SEGMENT, Math.ceil(maxBytes / SEGMENTS));
  return await openAuditJournal(join(folder, "audit"), { instance, segmentBytes });
}

async function openSink(
  { store, url, migrate }: AuditConfig,
  folder: string | undefined,
): Promise<AuditSink | undefined> {
  switch (store) {
    case "off":
      return undefined;
    case "stdout":
      return new (await import("../stores/stdout/audit.ts")).StdoutAudit();
    case "postgres":
      return (await import("../stores/postgres/audit.ts")).openPostgresAudit({
        url: url as string,
        migrate,
      });
    case "sqlite":
      if (folder === undefined) return undefined;
      return (await import("../stores/sqlite/audit.ts")).openSqliteAudit(
        join(folder, "audit.sqlite"),
        { migrate },
      );
  }
}
