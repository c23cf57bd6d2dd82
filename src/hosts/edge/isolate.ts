/** What lasts from one request to the next: data, never a promise, a timer or a connection. */
import { uuidv7 } from "uuidv7";
import { BackendMemory } from "../../core/mod.ts";
import type { SharedTable } from "../../stores/redis/http_replicas.ts";
import { type Keys, keysOf } from "../../stores/redis/keys.ts";
import { MemoryJournal } from "../../stores/memory/journal.ts";
import { MemoryRateStore } from "../../stores/memory/rate_store.ts";
import { MemoryStateStore } from "../../stores/memory/state_store.ts";
import { HttpAudit } from "../../stores/postgres/http_audit.ts";
import { HttpSql } from "../../stores/postgres/http_sql.ts";
import { createLog } from "../log.ts";
import { Mask } from "../mask.ts";
import { REDIS_ENDPOINT, SQL_ENDPOINT, STATE_KEY } from "./bindings.ts";
import type { KeyMemory } from "./http.ts";
import type { EdgeSettings } from "./settings.ts";
import { webRandom } from "./random.ts";
import { sha256 } from "./sha256.ts";

/** Where sessions, rates and kill switches are shared. */
export interface RedisPlace {
  readonly endpoint: URL;
  readonly token: string;
  readonly keys: Keys;
}

export interface Isolate {
  readonly settings: EdgeSettings;
  readonly mask: Mask;
  readonly log: ReturnType<typeof createLog>;
  readonly backends: BackendMemory;
  readonly issuerKeys: KeyMemory;
  readonly state: MemoryStateStore;
  readonly journal: MemoryJournal;
  readonly rates: MemoryRateStore;
  /** Undefined: nothing is recorded. */
  readonly audit: HttpAudit | undefined;
  /** Undefined: no sessions. */
  readonly redis: RedisPlace | undefined;
  /** What secrets of the gateway are made of where no store keeps them. */
  readonly stateKey: string;
  /** Kill switches of all replicas, as last read. */
  table: SharedTable | undefined;
  /** Monotonic time when calls were last looked for that another isolate left without a row. */
  lookedAt: number;
}

/** @throws SentinelError CONFIG_INVALID for a URL that cannot be read */
export function newIsolate(settings: EdgeSettings): Isolate {
  const mask = new Mask(settings.secrets);
  return {
    settings,
    mask,
    log: createLog({
      level: settings.config.telemetry.log.level,
      format: "json",
      mask: mask.apply,
      now: () => Date.now(),
      sink: (line) => console.log(line.trimEnd()),
    }),
    backends: new BackendMemory(),
    issuerKeys: new Map(),
    state: new MemoryStateStore(),
    journal: new MemoryJournal(),
    rates: new MemoryRateStore(),
    audit: auditOf(settings),
    redis: redisOf(settings),
    stateKey: settings.texts[STATE_KEY] ?? webRandom.bytes(32).join(),
    table: undefined,
    lookedAt: performance.now(),
  };
}

function auditOf({ config: { audit }, texts, chain }: EdgeSettings): HttpAudit | undefined {
  const { store, url, migrate } = audit;
  if (store !== "postgres" || url === undefined) return undefined;
  return new HttpAudit({
    sql: new HttpSql({ url, migrate, endpoint: texts[SQL_ENDPOINT] }),
    instance: uuidv7(),
    chain,
    sha256,
    monotonic: () => performance.now(),
  });
}

/** The password of the server is the token of its HTTP side, as with Upstash. */
function redisOf({ config: { sessions, server }, texts }: EdgeSettings): RedisPlace | undefined {
  const { store, url } = sessions;
  if (store !== "redis" || url === undefined) return undefined;
  const { hostname, password } = new URL(url);
  return {
    endpoint: new URL(texts[REDIS_ENDPOINT] ?? `https://${hostname}`),
    token: decodeURIComponent(password),
    keys: keysOf(server.name, url, sha256),
  };
}
