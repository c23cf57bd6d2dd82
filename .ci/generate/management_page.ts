/** Reference page of the management API, and its OpenAPI document. */
import { type RouteRow, ROUTES } from "../../src/contract/manage/mod.ts";
import { FILTERS } from "../../src/contract/manage/filters.ts";
import { openapiDocument } from "../../src/manage/openapi.ts";
import { answerName } from "../../src/manage/openapi/schemas.ts";
import { VERSION } from "../../src/hosts/version.ts";
import { code, page, table } from "./markdown.ts";
import { schemas, shapePart } from "./shapes.ts";

const INTRO =
  "State and operations of one gateway, on a listener of its own (`management.listen`, by default " +
  "`127.0.0.1:8809`). Every answer is one JSON object and has the `revision` of the gateway it was " +
  "read at. Members may be added within a version, so programs must ignore what they do not know. " +
  "The same as OpenAPI 3.1: [openapi.json](openapi.json), and `GET /manage/v1/openapi.json`. " +
  "Operations have a [page of their own](operations.md).";

const AUTHORIZATION = [
  "A request carries `Authorization: Bearer <token>` with a token of `[[management.tokens]]`; " +
  "nothing else is looked at: no query parameter, no cookie, no token of the data plane. A scope " +
  "that is too small is 403, everything else that is wrong with a token 401 without a reason. Both " +
  "are in the journal before they are answered.",
  table(["scope of the route", "without a token", "token `read`", "token `admin`"], [
    ["public", "yes", "yes", "yes"],
    ["read", "401", "yes", "yes"],
    ["admin", "401", "403", "yes"],
  ]),
  "`GET /manage/v1/health` is public unless `management.public_health` is false. After 20 failures " +
  "in a minute an address gets 429 for a minute; on loopback a valid token is accepted all the same. " +
  "Requests with an `Origin` are refused: the API is for programs, not for pages. Anything but loopback needs `allow_remote`, " +
  "TLS and tokens of at least 32 bytes; with `management.tls.client_ca` every client needs a " +
  "certificate, too. Two tokens of one name are valid side by side, which is how one is replaced.",
].join("\n\n");

const LISTS =
  "`limit` (100, at most 1000) is the size of a page; `next` of its answer is `after` of the next " +
  "one, and is missing on the last. `after` of the event log is a cursor: a decimal number that " +
  "grows strictly, also over restarts. One request looks at 20,000 rows of the audit at most, so a " +
  "page of it may hold fewer rows than `limit`, or none, and still have a `next`. What the audit " +
  "records, and what its chain proves, stands on [a page of its own](audit.md).";

const STREAMS =
  "Server-sent events. `events/stream` sends `event: event` with the cursor as `id`; it begins now, " +
  "or after the cursor in `after` or `Last-Event-ID`. `calls/stream` sends `event: call` from now " +
  "on. A comment every 15 s is a sign of life. Other events: `gap` when events after the cursor are " +
  "not kept any more (`after`, `oldest`, `lost`); and, before the stream ends, `slow` when the " +
  "reader takes nothing, `unauthorized` when its token is gone, `stopping`. A cursor ahead of the " +
  "log is 410.";

const GRAMMAR = [
  "Terms are separated by blanks, and all of them have to match. Case does not matter, except for " +
  "names and ids in the audit that are written without `*`: `Anna` is not `anna` there. At most 1000 " +
  "characters and 50 terms.",
  table(["term", "matches"], [
    ["`word`", "items with the word in any of their texts"],
    ["`field:value`", "items whose field is the value; `*` stands for any characters"],
    ["`field:a,b`", "either of them"],
    [
      "`field:>500ms` `field:<5`",
      "more or less; also `>=` and `<=`; units as in the configuration",
    ],
    ["`since:1h` `until:2026-11-20T10:00Z`", "from a time on, or before it; without offset in UTC"],
    ["`field:*`", "items that have the field at all"],
    ["`-word` `-field:value`", "all others"],
    ['`"two words"` `field:"a,b"`', "the quoted text as it is"],
  ]),
].join("\n\n");

export function managementPage(): string {
  const routes = Object.values<RouteRow>(ROUTES);
  const rows = routes.map((row) => [
    code(`${row.method} ${row.path}`),
    row.scope,
    row.summary,
    answerOf(row),
  ]);
  return page(
    "Management API",
    INTRO,
    table(["route", "scope", "what it does", "answer"], rows),
    "## Authorization",
    AUTHORIZATION,
    "## Lists",
    LISTS,
    "## Streams",
    STREAMS,
    "## Filters",
    GRAMMAR,
    ...fieldTables(),
    "## Errors",
    "An answer with a status from 400 on is an [Error](#error); its `code` is a name of the " +
      "[error table](errors.md).",
    "## Shapes",
    "`?` marks members that may be missing. Times are ISO 8601.",
    ...Object.keys(schemas()).map(shapePart),
  );
}

export function openapiFile(): string {
  return JSON.stringify(openapiDocument(VERSION), null, 2) + "\n";
}

function answerOf(row: RouteRow): string {
  if (row.answers === "text") return "text";
  const name = answerName(row);
  if (name === undefined) return "JSON";
  return `${row.answers === "events" ? "stream of " : ""}[${name}](#${name.toLowerCase()})`;
}

interface Fields {
  readonly fields: Readonly<Record<string, Field>>;
}

interface Field {
  readonly kind: string;
  readonly about: string;
  readonly words?: readonly string[];
}

/** One table for all routes that have the same fields. */
function fieldTables(): string[] {
  const groups = Map.groupBy(Object.entries<Fields>(FILTERS), ([, fields]) => fields);
  return [...groups].map(([{ fields }, routes]) => {
    const paths = routes.map(([name]) => ROUTES[name as keyof typeof ROUTES].path);
    const rows = Object.entries(fields).map(([name, field]) => [
      code(name),
      kindOf(field),
      field.about,
    ]);
    return `### Fields of ${paths.join(" and ")}\n\n${table(["field", "kind", "meaning"], rows)}`;
  });
}

function kindOf({ kind, words }: Field): string {
  if (words !== undefined) return words.map(code).join(", ");
  return kind === "since" || kind === "until" ? "time" : kind;
}
