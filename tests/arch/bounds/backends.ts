/** Bounds towards backends. */
import type { Area } from "./table.ts";

export const CALLS: Area = {
  title: "Calls to backends",
  keys: {
    "limits.default": ["Calls of one caller to one tool", "RATE_LIMITED", {
      metric: "sentinel_rate_limit_rejections_total",
    }],
    "limits.concurrency": ["Calls under way in the whole gateway", "OVERLOADED", {
      metric: "sentinel_requests_in_flight",
    }],
    "limits.per_session": ["Calls under way in one session", "OVERLOADED"],
    "backends.*.timeout": ["A call to one backend", "BACKEND_TIMEOUT", { proof: "T50" }],
    "backends.*.limits.in_flight": ["Calls under way at one backend", "OVERLOADED", {
      metric: "sentinel_backend_in_flight",
    }],
    "backends.*.limits.queue": ["Calls that wait for it", "OVERLOADED", {
      metric: "sentinel_backend_queue_length",
    }],
    "backends.*.limits.queue_wait": ["Time one of them waits", "OVERLOADED"],
    "backends.*.retry.attempts": ["Times a safe call is sent", "the last error stands", {
      metric: "sentinel_backend_retries_total",
      proof: "P14",
    }],
  },
  fixed: {
    "core/backends/pending.ts": {
      HARD_LIMIT_MS: ["A call, whatever it reports meanwhile", "ms", "BACKEND_TIMEOUT"],
      SILENCE_MS: [
        "A stream that is to bring an answer and says nothing",
        "ms",
        "BACKEND_TIMEOUT",
        {
          proof: "T50",
        },
      ],
      MAX_ABANDONED: ["Calls given up whose late answer is known", "", "it counts as foreign"],
    },
    "core/backends/questions.ts": {
      MAX_OPEN: ["Open questions of one link", "", "the backend gets an error"],
    },
    "core/backends/upstream.ts": {
      MAX_SUBSCRIPTIONS: ["Resources subscribed at one backend", "", "OVERLOADED"],
      MAX_ELICITATIONS: ["Visits of addresses whose end is awaited", "", "the oldest go"],
    },
    "core/backends/circuits.ts": {
      MAX_TOOLS: ["Tools with a circuit of their own, of one backend", "", "the oldest go"],
    },
    "core/backends/link_pool.ts": {
      MAX_EXCLUSIVE: ["Links of one caller for calls that need one alone", "", "OVERLOADED", {
        metric: "sentinel_backend_links",
      }],
      IDLE_MS: ["One that nobody uses", "ms", "it is closed"],
    },
    "core/backends/supervisor.ts": {
      MAX_FAILURES: ["Failures of a backend within a minute", "", "it is given up (`fatal`)", {
        metric: "sentinel_backend_restarts_total",
        proof: "T47",
      }],
    },
    "core/backends/own_subscriptions.ts": {
      MAX_URIS: ["Subscriptions of a session over a link of its own", "", "lost with the link"],
    },
    "core/backends/link_factory.ts": {
      HANDSHAKE_MS: ["A handshake", "ms", "BACKEND_TIMEOUT", { proof: "T43" }],
    },
    "core/backends/offer.ts": {
      ANSWER_MS: ["One page of its lists", "ms", "the list counts as not read"],
    },
    "core/backends/upstream_requests.ts": {
      ANSWER_MS: ["A subscription", "ms", "BACKEND_TIMEOUT"],
    },
    "core/backends/listening.ts": {
      AGREE_MS: ["Time to agree to a listen", "ms", "it is asked again"],
      MAX_DELAY_MS: ["Pause before a listen is opened again", "ms", "no longer"],
    },
    "core/backends/link_metrics.ts": {
      MAX_KEPT: ["Series one backend's calls keep at hand", "", "they are looked up again"],
    },
  },
};

export const HTTP_BACKENDS: Area = {
  title: "Backends over HTTP",
  keys: {},
  fixed: {
    "core/backends/http_endpoint.ts": {
      MAX_REPLY: ["An answer", "bytes", "BACKEND_PROTOCOL", { proof: "T08" }],
      MAX_ERROR_BODY: ["The body of an HTTP error", "bytes", "the rest is not read"],
    },
    "core/mcp/sse.ts": {
      MAX_EVENT: ["An event of a stream", "characters", "BACKEND_PROTOCOL"],
    },
    "core/backends/http_gate.ts": {
      MAX_HELD: ["Messages that wait for the handshake", "", "OVERLOADED"],
    },
    "core/backends/http_deliveries.ts": {
      MAX_DELIVERIES: ["Answers and notifications on their way", "", "BACKEND_LOST"],
      DEADLINE_MS: ["One of them", "ms", "it is dropped"],
    },
    "core/backends/http_exchange.ts": {
      MAX_RETURNS: ["Times a broken answer is fetched on", "", "BACKEND_LOST"],
      LINGER_MS: ["A stream that has answered, until it is closed", "ms", "it is cut"],
    },
    "core/backends/http_stream.ts": {
      MAX_DELAY_MS: ["Pause before its stream is opened again", "ms", "no longer"],
      MAX_HINT_MS: ["Pause a backend may ask for", "ms", "no longer"],
    },
    "core/backends/http_wire.ts": {
      FAREWELL_MS: ["Time to take leave", "ms", "the connection is closed"],
    },
    "hosts/http_client/undici_client.ts": {
      MAX_CONNECTIONS: ["Connections to one origin", "", "requests wait for one"],
      CONNECT_TIMEOUT_MS: ["Time to connect", "ms", "BACKEND_LOST", { proof: "T49" }],
    },
    "hosts/http_client/undici_exchange.ts": {
      MAX_EARLY: ["Bytes of an answer nobody has asked for yet", "bytes", "its reading pauses"],
    },
  },
};

export const PROCESSES: Area = {
  title: "Backends that are processes",
  keys: {
    "backends.*.stop.grace": ["Time to end by itself", "it is killed", { proof: "P11" }],
    "backends.*.limits.memory": ["Memory of its processes", "BACKEND_LOST", {
      metric: "sentinel_backend_process_resident_memory_bytes",
      proof: "T48",
    }],
    "backends.*.limits.descriptors": ["Open files of one process", "the process gets EMFILE", {
      metric: "sentinel_backend_process_open_fds",
    }],
    "backends.*.limits.processes": ["Its processes", "the process gets EAGAIN", {
      metric: "sentinel_backend_processes",
    }],
    "backends.*.limits.output_line": ["A line of its stdout", "BACKEND_PROTOCOL", { proof: "T44" }],
  },
  fixed: {
    "core/backends/stdin_queue.ts": {
      MAX_WAITING: ["Text that waits for its stdin", "characters", "BACKEND_LOST", {
        proof: "T44",
      }],
    },
    "core/backends/stdio_wire.ts": {
      MAX_INVALID: ["Lines in a row that are no messages", "", "BACKEND_PROTOCOL", {
        metric: "sentinel_backend_invalid_output_lines_total",
        proof: "T44",
      }],
      ERRORS_PER_SECOND: ["Stderr that is read in a second", "bytes", "its reading pauses", {
        metric: "sentinel_backend_stderr_lines_total",
        proof: "T44",
      }],
    },
    "core/backends/stderr_ring.ts": {
      CAPACITY: ["Kept stderr", "bytes", "the oldest go", { proof: "T44" }],
      MAX_LINES: ["Kept lines of it", "", "the oldest go"],
      LINE_LENGTH: ["One line of it", "characters", "it is cut"],
    },
    "core/backends/wire_opener.ts": {
      MAX_LINES: ["Lines of stderr kept over a restart", "", "the oldest go"],
    },
    "core/backends/stop_child.ts": {
      END_OF_INPUT_MS: ["Time to end once stdin is closed", "ms", "it gets SIGTERM"],
      KILLED_MS: ["Time to be gone once it is killed", "ms", "it is left behind"],
    },
    "hosts/process/child.ts": {
      OPEN_PIPES_MS: ["Pipes that stay open after the process", "ms", "they are closed"],
    },
    "hosts/process/guard.ts": {
      MAX_STARTS: ["Starts of the guard", "", "children are unprotected (`gateway.unprotected`)"],
    },
    "hosts/process/launcher.ts": {
      PROBE_MS: ["Time to find out how processes are started", "ms", "the plain way is taken"],
    },
    "contract/config/backends.ts": {
      MOST_INSTANCES: ["Instances of one backend", "", "CONFIG_INVALID"],
    },
  },
};
