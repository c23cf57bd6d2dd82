/** Bounds of what the gateway keeps and works out. */
import type { Area } from "./table.ts";

export const CATALOG: Area = {
  title: "Catalog, definitions and rules",
  keys: {},
  fixed: {
    "core/catalog/parse.ts": {
      MAX_DEFINITION: ["A definition", "characters", "it is left out", {
        metric: "sentinel_catalog_tools",
      }],
    },
    "core/catalog/naming.ts": {
      MAX_NAME: ["Name of an item", "characters", "it is left out"],
    },
    "core/catalog/read.ts": { MAX_CURSOR: ["Cursor of a backend", "characters", "reading ends"] },
    "core/catalog/cursor.ts": { MAX_LENGTH: ["Our own cursor", "characters", "INVALID_PARAMS"] },
    "core/catalog/item_list.ts": {
      PAGE_ITEMS: ["Items of a page", "", "the next page has them"],
      PAGE_LENGTH: ["Text of a page", "characters", "the next page has it"],
    },
    "core/catalog/view_cache.ts": { MAX_VIEWS: ["Views that are kept", "", "they are made again"] },
    "core/catalog/announcement.ts": {
      MAX_INSTRUCTIONS: ["Instructions for clients", "bytes", "they are cut"],
    },
    "core/catalog/cache_hints.ts": {
      MAX_TTL_MS: ["Time a list may be kept by a modern client", "ms", "no longer"],
    },
    "core/catalog/resource_router.ts": {
      MAX_MATCHED: ["Address that is matched with templates", "characters", "it matches none"],
    },
    "core/catalog/linear_pattern.ts": {
      MAX_LENGTH: ["A pattern of a schema", "characters", "it is not checked here", {
        proof: "T12",
      }],
      MAX_POSITIONS: ["Its places", "", "it is not checked here", { proof: "T12" }],
      MAX_DEPTH: ["Its nesting", "", "it is not checked here", { proof: "T12" }],
      MAX_WAYS: ["Ways through it at once", "", "it is not checked here", { proof: "T12" }],
    },
    "core/catalog/argument_schema.ts": {
      MAX_DEPTH: ["Nesting of a schema", "", "the schema is unusable", { proof: "T13" }],
    },
    "core/catalog/schema_references.ts": {
      MAX_CHAIN: ["References that lead to each other", "", "the schema is unusable"],
    },
    "core/catalog/validators.ts": {
      MAX_KEPT: ["Compiled schemas", "", "they are compiled again"],
      MAX_COMPARISONS: ["Comparisons of unique items", "", "they are compared otherwise"],
    },
    "hosts/schema_compiler/adaptive.ts": {
      MAX_COMPILED: ["A schema that is compiled", "characters", "it is interpreted"],
    },
    "hosts/schema_compiler/interpreter.ts": {
      MAX_THOROUGH: ["Size up to which all problems are named", "", "the first is named"],
      MAX_PROBLEMS: ["Problems of one call", "", "the others are not named"],
    },
    "core/catalog/pin_book.ts": {
      MAX_PINS: ["Pinned definitions", "", "new ones are held, where changes are"],
      MAX_TEXT: ["Text of all pins", "characters", "only hashes are kept"],
    },
    "core/catalog/lint_definition.ts": {
      MAX_KEPT: ["Findings that are remembered by definition", "", "they are found again"],
    },
    "contract/rules.ts": {
      "RULE_BOUNDS.rules": ["Rules", "", "CONFIG_INVALID"],
      "RULE_BOUNDS.expression": ["An expression", "characters", "CONFIG_INVALID"],
      "RULE_BOUNDS.pattern": ["A regular expression in one", "characters", "CONFIG_INVALID"],
      "RULE_BOUNDS.computedPattern": ["One that is computed", "characters", "POLICY_DENIED"],
      "RULE_BOUNDS.fields": ["Fields a rule redacts, values it sets", "", "CONFIG_INVALID"],
      "RULE_BOUNDS.segments": ["Names in the path of a field", "", "CONFIG_INVALID"],
      "EXPRESSION_LIMITS.maxAstNodes": ["Parts of an expression", "", "CONFIG_INVALID"],
      "EXPRESSION_LIMITS.maxDepth": ["Its nesting", "", "CONFIG_INVALID"],
    },
    "core/rules/meter.ts": {
      MOST_WORK: ["Steps of the expressions of one passage", "", "POLICY_DENIED", { proof: "T12" }],
      LONGEST_MS: ["Time of the expressions of one passage", "ms", "POLICY_DENIED", {
        metric: "sentinel_interceptor_failures_total",
        proof: "T12",
      }],
    },
    "core/rules/linear_regex.ts": {
      MAX_KEPT: ["Compiled expressions", "", "they are compiled again"],
      MAX_TEXT: ["Text one is matched with", "characters", "POLICY_DENIED", { proof: "T12" }],
    },
  },
};

export const OPERATORS: Area = {
  title: "Operators",
  keys: {
    "reload.debounce": ["Quiet time after a change of the file", "it is read"],
    "reload.grace": ["Time after a reload in which it is taken back", "it stays", {
      metric: "sentinel_config_reloads_total",
    }],
  },
  fixed: {
    "core/runtime/operations.ts": {
      MAX_WAITING: ["Operations that wait", "", "OVERLOADED"],
      MAX_ANSWERS: ["Answers kept for repetitions", "", "the oldest go"],
      ANSWER_MS: ["How long they are kept", "ms", "the act is done again"],
    },
    "core/runtime/operator.ts": {
      RECONNECT_MS: ["Time a reconnect waits for the handshake", "ms", "outcome `partial`"],
    },
    "core/runtime/reloader.ts": {
      PREPARE_MS: ["Time a reload waits for new backends", "ms", "outcome `partial`"],
    },
    "core/runtime/grace.ts": {
      HANDSHAKE_MS: ["How much longer for a handshake at the end of it", "ms", "it is taken back"],
    },
    "core/runtime/runtime.ts": {
      START_MS: ["Time lists wait for first handshakes", "ms", "NO_BACKEND_READY"],
      START_ALONE_MS: ["The same at the edge", "ms", "NO_BACKEND_READY"],
    },
    "core/runtime/kill_switches.ts": {
      MAX_SWITCHES: ["Kill switches", "", "OVERLOADED", {
        metric: "sentinel_kill_switches_active",
      }],
    },
    "core/runtime/switch_acts.ts": {
      MAX_PATTERN: ["Name or pattern of one", "characters", "INVALID_PARAMS"],
    },
    "core/runtime/sharing.ts": {
      MAX_CLEARED: ["Cleared switches that are remembered", "", "the oldest go"],
      REMEMBER_MS: ["How long", "ms", "they are forgotten"],
    },
    "hosts/config_watch.ts": {
      MAX_QUIET_MS: ["Changes that follow each other", "ms", "the file is read"],
    },
    "hosts/tls/renewal.ts": {
      PATIENCE_MS: ["Time a certificate and its key may be written", "ms", "`tls.rejected`"],
    },
    "hosts/quiet_file.ts": {
      PATIENCE_MS: ["Time a file may be written", "ms", "CONFIG_INVALID"],
    },
    "hosts/mask.ts": { MAX_SECRETS: ["Secrets that are masked", "", "the oldest are forgotten"] },
    "hosts/listeners.ts": {
      MANAGEMENT_BODY_BYTES: [
        "Body of a management request, on its listener",
        "bytes",
        "TOO_LARGE",
      ],
      CLOSE_MS: ["Time connections have once everything has ended", "ms", "they are cut"],
    },
    "hosts/gateway.ts": {
      LAST_ANSWERS_MS: ["Time last answers have to leave", "ms", "they are cut"],
    },
    "manage/input.ts": { MAX_BODY: ["Body of a management request", "bytes", "TOO_LARGE"] },
    "manage/manage.ts": { BODY_MS: ["Time its body may take to arrive", "ms", "SLOW"] },
    "manage/door/failures.ts": {
      MAX_FAILURES: ["Failed sign-ins of an address in a minute", "", "RATE_LIMITED", {
        metric: "sentinel_management_refusals_total",
        proof: "T76",
      }],
      LIMITED_MS: ["How long it is refused then", "ms", "RATE_LIMITED"],
      MAX_ADDRESSES: ["Addresses that are watched so", "", "the oldest go"],
    },
    "manage/stream/streams.ts": { MAX_STREAMS: ["Streams of operators", "", "OVERLOADED"] },
    "manage/stream/call_source.ts": {
      MAX_QUEUE: ["Calls that wait for a reader", "", "they are counted as missed"],
    },
    "manage/stream/event_source.ts": {
      MAX_TEXT: ["Text of one batch of events", "characters", "the next batch has them"],
    },
    "manage/stream/feed.ts": { SLOW_MS: ["A reader that takes nothing", "ms", "it is ended"] },
    "manage/handlers/events.ts": {
      MAX_SCAN: ["Events looked at for a page", "", "`next` goes on"],
    },
    "manage/paging.ts": { MAX_KEY: ["A cursor", "characters", "CURSOR_UNKNOWN"] },
    "manage/audit/search.ts": {
      MAX_SCAN: ["Rows looked at for a page", "", "`next` goes on"],
      MAX_CHARACTERS: ["Text of a page", "characters", "`next` goes on"],
    },
    "contract/manage/routes.ts": { MAX_PAGE: ["Items of a page", "", "INVALID_PARAMS"] },
    "contract/filter.ts": {
      LONGEST: ["A filter", "characters", "INVALID_PARAMS"],
      MOST_TERMS: ["Terms of a filter", "", "INVALID_PARAMS"],
    },
    "config/checks/safety.ts": { MAX_TOKENS: ["Tokens of operators", "", "CONFIG_INVALID"] },
    "client/exchange.ts": { DEFAULT_TIMEOUT_MS: ["A request of our client", "ms", "it fails"] },
    "client/request.ts": { MAX_ANSWER: ["An answer our client reads", "characters", "it fails"] },
    "client/messages.ts": {
      MAX_EVENT: ["An event our client reads", "characters", "it connects anew"],
      MAX_SILENCE_MS: ["A stream without a sign of life", "ms", "it connects anew"],
    },
    "client/retry.ts": {
      MAX_DELAY_MS: ["Pause before our client connects anew", "ms", "no longer"],
      MAX_ASKED_DELAY_MS: ["Pause it can be asked for", "ms", "no longer"],
    },
    "client/refusal.ts": { MAX_REFUSAL: ["A refusal it reads", "characters", "it is cut"] },
  },
};

export const STORES: Area = {
  title: "Records and stores",
  keys: {
    "audit.journal": ["Journal of the audit", "AUDIT_UNAVAILABLE", {
      metric: "sentinel_audit_journal_bytes",
      proof: "P02",
    }],
    "audit.queue": ["Rows at hand for the store", "they wait in the journal", {
      metric: "sentinel_audit_queue_capacity",
    }],
  },
  fixed: {
    "core/audit/queue.ts": {
      MAX_CHARACTERS: ["Text of these rows", "characters", "they wait in the journal", {
        metric: "sentinel_audit_queue_length",
      }],
    },
    "core/audit/delivery.ts": {
      MAX_UNSYNCED: ["Rows written and not on the disk yet", "", "they are put there"],
      MAX_RETRY_MS: ["Pause before the store is tried again", "ms", "no longer"],
    },
    "core/audit/refusals.ts": {
      MAX_PER_SECOND: ["Refusals recorded one by one in a second", "", "they are counted in one"],
    },
    "core/audit/forms.ts": {
      MAX_RECORDED: ["Arguments or a result in the audit", "characters", "it is cut"],
      MAX_DEPTH: ["Their nesting", "", "it is cut"],
      MAX_NAMES: ["Their names", "", "it is cut"],
    },
    "core/audit/other_rows.ts": {
      MAX_PREVIOUS: ["Runs before this one that are told about", "", "the oldest are not"],
    },
    "core/audit/audit.ts": {
      STOP_MS: ["Time the last rows have at the end", "ms", "the next run"],
    },
    "hosts/audit_stores.ts": {
      MAX_SEGMENT: ["One file of the journal", "bytes", "the next one begins"],
      OPEN_MS: ["Time the store has at the start", "ms", "rows wait in the journal"],
    },
    "stores/file/audit_run.ts": {
      MAX_WAITING: ["Files kept for a few open calls", "", "those calls are written anew"],
    },
    "stores/file/audit_row_reader.ts": { MAX_BYTES: ["A row", "bytes", "it counts as damaged"] },
    "stores/memory/journal.ts": { MAX_ENTRIES: ["Entries in memory", "", "the oldest go"] },
    "stores/memory/rate_store.ts": { KEEP_MS: ["A bucket nobody uses", "ms", "it is forgotten"] },
    "stores/postgres/pool.ts": {
      IDLE_MS: ["An idle connection to Postgres", "ms", "it is closed"],
      GOODBYE_MS: ["Time it may take to close", "ms", "it is cut"],
    },
    "stores/postgres/schema.ts": {
      MIGRATION_MS: ["Another replica that prepares the tables", "ms", "it is tried again"],
    },
    "stores/sqlite/audit_reader.ts": { BUSY_MS: ["A locked database, read", "ms", "it fails"] },
    "stores/sqlite/open.ts": {
      MAX_CHECKED_BYTES: ["Database that is checked at the start", "bytes", "it is not"],
    },
    "stores/sqlite/session_store.ts": {
      BUSY_MS: ["A locked database of sessions", "ms", "the write fails"],
      MAX_STREAM: ["Events of one stream", "characters", "the oldest go"],
      MAX_STREAMS: ["Events of all streams", "characters", "the oldest go"],
    },
    "stores/redis/client.ts": { MAX_COMMANDS: ["Commands that wait for Redis", "", "they fail"] },
    "stores/redis/backoff.ts": {
      MOST_MS: ["Pause before Redis is tried again", "ms", "no longer"],
    },
    "stores/redis/connection.ts": {
      CONNECT_MS: ["Time to connect to Redis", "ms", "it is tried again", {
        metric: "sentinel_shared_store_up",
      }],
    },
    "stores/redis/keys.ts": {
      MAX_PLAIN: ["A name in a key", "characters", "its hash stands there"],
    },
    "stores/redis/script.ts": {
      MAX_ENTRIES: ["Shared kill switches", "", "the others are not looked at"],
      MAX_BYTES: ["One of them", "bytes", "it is not looked at"],
    },
    "stores/redis/bus.ts": {
      MAX_BYTES: ["A message between replicas", "bytes", "it is not sent", {
        metric: "sentinel_replica_messages_total",
      }],
    },
    "stores/redis/session_store.ts": {
      MAX_STREAM_BYTES: ["Events of one stream", "bytes", "the oldest go"],
      MAX_CHARACTERS: [
        "Events of all streams of one replica",
        "characters",
        "whole streams go, the oldest first",
      ],
      MAX_UNSENT: ["Events that wait for Redis", "characters", "they are not kept"],
    },
    "core/replicas/exchanges.ts": {
      MAX_OPEN: ["Requests that other replicas answer", "", "they count as lost"],
      ARRIVAL_MS: ["Time one has to arrive", "ms", "it counts as lost"],
    },
    "core/replicas/remote_posts.ts": {
      TAKEN_MS: ["Time a replica has to take a message", "ms", "it counts as lost"],
    },
    "core/replicas/remote_streams.ts": {
      HAND_OVER_MS: ["Time a replica has to hand a stream over", "ms", "it begins anew"],
    },
    "hosts/line_sink.ts": {
      MAX_KEPT: ["Log that is gathered", "characters", "it is written at once"],
    },
    "telemetry/family.ts": {
      "MAX_SERIES.counter": ["Series of one counter", "", "they count as `_other`", {
        proof: "T74",
      }],
      "MAX_SERIES.gauge": ["Series of one gauge", "", "they count as `_other`", { proof: "T74" }],
      "MAX_SERIES.histogram": ["Series of one histogram", "", "they count as `_other`", {
        proof: "T74",
      }],
      MAX_VALUE_LENGTH: ["Value of a label", "characters", "it counts as `_other`", {
        proof: "T74",
      }],
    },
    "hosts/local_gateway.ts": {
      KEEP_FOREIGN_MS: ["Note of a gateway on another machine", "ms", "it is removed"],
    },
  },
};
