/** Running it: [management], [telemetry], [reload]. */
import * as v from "valibot";
import { key } from "./key.ts";
import { filePath, fraction, listen, name, oneOf, optionalHttpUrl, tls } from "./values.ts";
import { grace } from "../units.ts";

interface TomlDateLike extends Date {
  isDateTime?(): boolean;
  isDate?(): boolean;
  isLocal?(): boolean;
}

/** A TOML date (00:00 UTC) or a date and time with offset; as milliseconds since 1970. */
const moment = v.pipe(
  v.date(),
  v.metadata({ noun: "date", unit: "date" }),
  v.check(
    (date: TomlDateLike) => date.isDate?.() !== false || date.isLocal?.() !== true,
    "write a date, or a date and time with an offset, such as 2027-06-30T18:00:00Z",
  ),
  v.transform((date) => date.getTime()),
);

const token = v.strictObject({
  name: key(name, "Who uses the token; appears in the audit.", {
    example: '"oncall"',
    reload: "live",
  }),
  scope: key(oneOf("scope", ["read", "admin"]), "What the token may do.", {
    example: '"read"',
    reload: "live",
  }),
  value: key(v.string(), "The token, as reference.", {
    example: '"${file:/run/secrets/sentinel_admin}"',
    reload: "live",
    secret: "always",
  }),
  expires: key(v.optional(moment), "Not accepted from this day (00:00 UTC) or moment on.", {
    example: "2027-06-30",
    reload: "live",
  }),
});

export const management = v.strictObject({
  listen: key(v.optional(listen, "127.0.0.1:8809"), "Address and port of the control plane.", {
    example: '"127.0.0.1:9001"',
    reload: "restart",
  }),
  allow_remote: key(
    v.optional(v.boolean(), false),
    "Must be true to listen on anything but loopback; needs [management.tls] and a token.",
    { example: "true", reload: "restart" },
  ),
  console: key(v.optional(v.boolean(), true), "Serve the web console.", {
    example: "false",
    reload: "restart",
    later: true,
  }),
  allow_shutdown: key(v.optional(v.boolean(), false), "Allow POST /manage/v1/shutdown.", {
    example: "true",
    reload: "live",
  }),
  public_health: key(v.optional(v.boolean(), true), "Answer the health check without a token.", {
    example: "false",
    reload: "live",
  }),
  tokens: key(
    v.optional(v.array(token), []),
    "Tokens of operators and programs, at most 32. Two of one name are valid side by side: that is " +
      "how one is replaced by the next.",
    { reload: "live" },
  ),
  tls: key(
    v.optional(v.strictObject({
      cert: key(tls.cert, "Certificate chain, PEM; read again when the file changes.", {
        example: '"/etc/mcp-sentinel/mgmt.crt"',
        reload: "restart",
      }),
      key: key(tls.key, "Private key of the certificate, PEM; read again with it.", {
        example: '"/etc/mcp-sentinel/mgmt.key"',
        reload: "restart",
      }),
      client_ca: key(
        v.optional(filePath),
        "Authority of client certificates; present: every client needs one.",
        { example: '"/etc/mcp-sentinel/operators-ca.crt"', reload: "restart" },
      ),
    })),
    "Serve the control plane over HTTPS.",
    { reload: "restart" },
  ),
});

const log = v.strictObject({
  level: key(
    v.optional(oneOf("log level", ["debug", "info", "warn", "error"]), "info"),
    "Least severe events that are written.",
    { example: '"debug"', reload: "live" },
  ),
  format: key(
    v.optional(oneOf("log format", ["auto", "pretty", "json"]), "auto"),
    '"auto" is pretty on a terminal and JSON lines elsewhere.',
    { example: '"json"', reload: "restart" },
  ),
});

const metrics = v.strictObject({
  prometheus: key(v.optional(v.boolean(), true), "Serve /metrics on the management listener.", {
    example: "false",
    reload: "restart",
  }),
  tool_label: key(
    v.optional(oneOf("switch", ["on", "off"]), "on"),
    'Label series by tool; "off" for very large catalogs.',
    { example: '"off"', reload: "restart" },
  ),
  otlp: key(
    v.optional(optionalHttpUrl, ""),
    'Collector that gets the metrics over OTLP/HTTP, each minute; "" for none.',
    { example: '"http://127.0.0.1:4318"', reload: "restart" },
  ),
});

const traces = v.strictObject({
  otlp: key(
    v.optional(optionalHttpUrl, ""),
    'Collector that gets the traces over OTLP/HTTP; "" for none.',
    { example: '"http://127.0.0.1:4318"', reload: "restart" },
  ),
  sample: key(
    v.optional(fraction, 0.1),
    "Share of the traces begun here that is kept; calls that fail, or are slower than 99 of 100 of their " +
      "tool, always are.",
    { example: "1.0", reload: "live" },
  ),
  trust_incoming: key(
    v.optional(v.boolean(), true),
    "Continue a caller's trace, and keep what it keeps; false begins a new one with a link to it.",
    { example: "false", reload: "live" },
  ),
  arguments: key(v.optional(v.boolean(), false), "Put the arguments of tools on spans.", {
    example: "true",
    reload: "live",
  }),
});

export const telemetry = v.strictObject({
  log: key(v.optional(log, {}), "The log on stderr.", { reload: "live" }),
  metrics: key(v.optional(metrics, {}), "Metrics.", { reload: "restart" }),
  traces: key(v.optional(traces, {}), "Traces.", { reload: "restart" }),
});

export const reload = v.strictObject({
  watch: key(v.optional(v.boolean(), true), "Reload when the file changes.", {
    example: "false",
    reload: "restart",
  }),
  debounce: key(v.optional(grace, "300ms"), "Quiet time after a change before it is read.", {
    example: '"1s"',
    reload: "live",
  }),
  grace: key(
    v.optional(grace, "10s"),
    "Time after a reload in which it is taken back when a backend that it touched answered before and does " +
      'not any more, or none answers; "0s" takes nothing back.',
    { example: '"30s"', reload: "live" },
  ),
  on_error: key(
    v.optional(oneOf("reaction", ["keep-running"]), "keep-running"),
    "A bad file changes nothing.",
    { example: '"keep-running"', reload: "live" },
  ),
});
