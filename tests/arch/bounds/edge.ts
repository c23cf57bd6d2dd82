/** Bounds of the gateway where it runs in an isolate. */
import type { Area } from "./table.ts";

export const EDGE: Area = {
  title: "At the edge",
  keys: {},
  fixed: {
    "core/backends/memory.ts": {
      FRESH_MS: ["What a backend offered to the request before", "ms", "it is read again"],
      FAILED_MS: ["A backend that could not be reached", "ms", "it is tried again"],
    },
    "core/backends/recall.ts": {
      SLOW_MS: ["A handshake of a core that has ended", "ms", "it counts as failed"],
    },
    "hosts/edge/http.ts": {
      KEYS_MS: ["Keys of an issuer", "ms", "they are fetched again"],
      STALE_KEYS_MS: ["The same, while the issuer is away", "ms", "UNAUTHENTICATED"],
      MAX_KEYS_BYTES: ["Its answer", "bytes", "the keys from before are used"],
    },
    "hosts/edge/settings.ts": {
      MAX_UNWRITTEN: ["Rows that could not be written yet", "characters", "AUDIT_UNAVAILABLE"],
    },
    "hosts/edge/request_core.ts": {
      TABLE_MS: ["Kill switches of other replicas, as read", "ms", "they are read again"],
    },
    "stores/postgres/http_audit.ts": {
      MAX_CLOSED: ["Lost calls that are closed in one go", "", "the next look closes more"],
      LOST_MS: ["A call without a row", "ms", "it is closed as unknown"],
      SENT_MS: ["Rows on their way without a word", "ms", "another request sends them"],
    },
    "stores/postgres/http_sql.ts": {
      ANSWER_MS: ["A transaction over HTTP", "ms", "AUDIT_UNAVAILABLE"],
    },
    "stores/redis/http_server.ts": {
      ANSWER_MS: ["A command of Redis over HTTP", "ms", "the store counts as away"],
      MAX_ANSWER: ["Its answer", "bytes", "the store counts as away"],
    },
  },
};
