/** Bounds towards clients. */
import type { Area } from "./table.ts";

const OVERFLOW = { metric: "sentinel_stream_events_dropped_total" } as const;
const SHED = { metric: "sentinel_requests_shed_total", proof: "P17" } as const;
const EVICTED = { metric: "sentinel_session_evictions_total" } as const;

export const REQUESTS: Area = {
  title: "Requests and connections",
  keys: {
    "server.max_request_size": ["A request", "TOO_LARGE", { proof: "T08" }],
    "server.body_timeout": ["Time a body may take to arrive", "SLOW", { proof: "T14" }],
    "server.request_timeout": ["A call, from its request on", "BACKEND_TIMEOUT"],
    "server.drain_timeout": ["Calls that still run when the gateway stops", "STOPPING", {
      proof: "P11",
    }],
    "limits.max_lag": ["Delay of the event loop", "OVERLOADED", SHED],
    "limits.memory": ["Memory of the gateway", "OVERLOADED", SHED],
  },
  fixed: {
    "hosts/host_header.ts": {
      MAX_HEADER_BYTES: ["Headers of a request", "bytes", "HEADERS_TOO_LARGE", { proof: "T09" }],
    },
    "hosts/node/message_server.ts": {
      HEADERS_MS: ["Time headers may take to arrive", "ms", "SLOW", { proof: "T14" }],
      REQUEST_MS: ["Time a whole request may take to arrive", "ms", "SLOW", { proof: "T14" }],
      KEEP_ALIVE_MS: ["An idle connection", "ms", "it is closed"],
    },
    "hosts/node/http_message.ts": {
      READ_MS: ["A reader of an answer without progress", "ms", "it is dropped", { proof: "T14" }],
    },
    "hosts/tls/connections.ts": {
      HANDSHAKE_MS: ["A TLS handshake", "ms", "the connection is closed", { proof: "T14" }],
      MAX_CONNECTIONS: ["TLS connections of operators", "", "new ones are closed"],
    },
    "hosts/listeners.ts": {
      MAX_CLIENT_CONNECTIONS: ["TLS connections of clients", "", "new ones are closed"],
    },
    "core/mcp/scan.ts": {
      MAX_DEPTH: ["Nesting of a message", "", "INVALID_REQUEST", { proof: "T10" }],
      MAX_MEMBERS: ["Members and elements of a message", "", "INVALID_REQUEST", { proof: "T10" }],
    },
    "core/mcp/codec.ts": {
      MAX_ID: ["Id of a request", "characters", "INVALID_REQUEST", { proof: "T04" }],
      MAX_METHOD: ["Name of a method", "characters", "INVALID_REQUEST"],
    },
    "core/mcp/envelope.ts": {
      MAX_NAME: ["Name and version of a client, kept of them", "characters", "it is cut"],
    },
    "core/front/streamable_http.ts": {
      MAX_BATCH: ["Messages of a batch", "", "INVALID_REQUEST", { proof: "T05" }],
    },
    "core/front/client_address.ts": {
      MAX_KNOWN: ["Addresses that were read once", "", "they are read again"],
      MAX_HOPS: ["Proxies in a row that are looked at", "", "the last one that is sure remains"],
    },
    "core/front/intake.ts": {
      MAX_RELIEF_BYTES: [
        "Message of a session that is taken under overload",
        "bytes",
        "OVERLOADED",
      ],
    },
    "core/auth/token.ts": {
      MAX_TOKEN_CHARACTERS: ["A token", "characters", "UNAUTHENTICATED", { proof: "T15" }],
    },
    "core/auth/token_table.ts": {
      MAX_TOKENS: ["Verified tokens that are remembered", "", "they are verified again"],
      MAX_CHARACTERS: ["All of them together", "characters", "they are verified again"],
    },
    "core/auth/roles.ts": {
      MAX_VALUES: ["Values of the claim with the roles", "", "the others are not looked at"],
    },
    "core/auth/jwks.ts": {
      MAX_BYTES: ["Keys of an issuer, as text", "bytes", "the keys before go on", { proof: "T25" }],
      MAX_KEYS: ["Keys of an issuer", "", "the others are not looked at"],
      TIMEOUT_MS: ["Time to fetch them", "ms", "the keys before go on", { proof: "T25" }],
      STALE_MS: ["Keys that cannot be fetched anew", "ms", "UNAUTHENTICATED"],
    },
  },
};

export const SESSIONS: Area = {
  title: "Sessions and streams",
  keys: {
    "sessions.max": ["Open sessions", "OVERLOADED", {
      metric: "sentinel_sessions_active",
      proof: "T67",
    }],
    "sessions.max_per_principal": ["Open sessions of one principal", "OVERLOADED"],
    "sessions.idle_timeout": ["A session without a sign of life", "it is closed", EVICTED],
    "sessions.max_lifetime": ["A session, however busy", "it is closed", EVICTED],
    "sessions.resume.events": ["Events of a stream kept for a client that comes back", "BAD_HTTP"],
    "sessions.resume.keep": ["How long they are kept", "BAD_HTTP"],
  },
  fixed: {
    "core/session/session.ts": {
      MAX_STREAMS: ["Streams of one session", "", "ended ones are forgotten"],
      MAX_SUBSCRIPTIONS: [
        "Subscriptions of a session in its store",
        "",
        "they end with the process",
      ],
    },
    "core/session/event_stream.ts": {
      MAX_UNREAD: ["Unread bytes of a stream", "bytes", "it is ended", OVERFLOW],
      MAX_STUCK_BEATS: ["Heartbeats a reader takes nothing of", "", "it is ended", OVERFLOW],
    },
    "core/front/pipe.ts": {
      MAX_UNREAD: ["Unread text of a pipe", "characters", "it is closed", OVERFLOW],
    },
    "hosts/websocket/link.ts": {
      MAX_WAITING: ["Unread bytes of a WebSocket", "bytes", "it is closed", OVERFLOW],
      MAX_UNANSWERED: ["Pings of a WebSocket without an answer", "", "it is closed"],
      CLOSE_MS: ["Time it may take to close", "ms", "it is cut"],
    },
    "core/session/asks.ts": {
      MAX_OPEN: ["Open questions to one session", "", "CLIENT_UNREACHABLE"],
      ANSWER_MS: ["Time a person has to answer one", "ms", "the question is withdrawn"],
    },
    "core/session/registry.ts": {
      LINGER_MS: ["A session past its lifetime that still has calls", "ms", "it is closed"],
    },
    "core/session/shared_values.ts": {
      MAX_VALUES: ["Values equal for many sessions, kept once", "", "they are kept anew"],
      MAX_TEXT: ["One of them", "characters", "each session keeps its own"],
    },
    "core/session/revival.ts": {
      MAX_READS: ["Sessions that are read back from the store at once", "", "OVERLOADED"],
    },
    "core/session/session_keeper.ts": {
      MAX_AT_ONCE: ["Sessions that are written at once", "", "the others follow"],
    },
    "contract/session_record.ts": {
      MAX_RECORD: ["A session in the store", "characters", "SESSION_UNKNOWN"],
    },
    "core/session/modern_clients.ts": {
      MAX_CLIENTS: ["Principals without sessions that are remembered", "", "idle ones go first"],
      IDLE_MS: ["How long, without a request", "ms", "it is forgotten"],
    },
    "core/call/stages/result.ts": {
      MAX_PRODUCERS: ["Addresses from results, remembered for a session", "", "the oldest go"],
    },
    "stores/memory/event_store.ts": {
      MAX_CHARACTERS: ["Events of one stream, kept", "characters", "the oldest go"],
      MAX_ALL_CHARACTERS: [
        "Events of all streams, kept",
        "characters",
        "those of the stream that was quiet the longest go",
        { proof: "T14" },
      ],
    },
  },
};

export const BRIDGE: Area = {
  title: "Clients of the modern era",
  keys: {
    "bridge.parked": ["Parked calls", "OVERLOADED", { metric: "sentinel_parked_calls" }],
    "bridge.parked_per_caller": ["Parked calls of one caller", "OVERLOADED"],
    "bridge.answer_timeout": ["Time a client has to answer a question", "BACKEND_TIMEOUT"],
    "bridge.rounds": ["Questions within one call", "CLIENT_UNREACHABLE", {
      metric: "sentinel_bridge_rounds_total",
    }],
    "bridge.listens": ["Open listens", "OVERLOADED", { metric: "sentinel_streams_active" }],
    "bridge.listens_per_caller": ["Open listens of one caller", "OVERLOADED"],
  },
  fixed: {
    "core/bridge/input_required.ts": {
      MAX_QUESTIONS: ["Questions of one round", "", "BACKEND_PROTOCOL"],
      MAX_STATE: ["State a backend gives with them", "characters", "BACKEND_PROTOCOL"],
    },
    "core/bridge/listen_filter.ts": {
      MAX_URIS: ["Resources one listen names", "", "INVALID_PARAMS"],
      MAX_URI_LENGTH: ["Address of one of them", "characters", "INVALID_PARAMS"],
    },
    "core/bridge/listen_hub.ts": {
      MAX_URIS: ["Resources all listens name", "", "OVERLOADED"],
      MAX_URIS_PER_CALLER: ["Resources the listens of one caller name", "", "OVERLOADED"],
      ANSWER_MS: ["Time backends have to refuse them", "ms", "they are promised"],
    },
    "core/bridge/tasks.ts": {
      KEEP_MS: ["Owner of a task without a time of its own, remembered", "ms", "NOT_FOUND"],
      MAX_KEEP_MS: ["Owner of any task, remembered", "ms", "NOT_FOUND"],
    },
    "core/mcp/extensions.ts": {
      MAX_SETTINGS: ["Settings of an extension", "characters", "they are left out"],
    },
  },
};
