/** What a handler gets and gives, from the table of routes. */
import type {
  ParsedBody,
  ParsedQuery,
  RouteAnswer,
  RouteName,
  RouteParams,
  ROUTES,
} from "../contract/manage/mod.ts";
import type { Act, Control } from "../core/mod.ts";
import type { Clock } from "../ports/clock.ts";
import type { Exposition, Facts } from "./options.ts";
import type { Streams } from "./stream/streams.ts";

/** A request that may be served. */
export interface Asked<Name extends RouteName> {
  readonly params: RouteParams<Name>;
  readonly query: ParsedQuery<Name>;
  readonly body: ParsedBody<Name>;
  /** Who asks, and the key of the operation. */
  readonly act: Act;
  /** Value of a header; `name` in lower case. */
  readonly header: (name: string) => string | undefined;
  /** Whether the caller's token would still be accepted. */
  readonly isAllowed: () => Promise<boolean>;
}

type Kind<Name extends RouteName> = (typeof ROUTES)[Name]["answers"];

/** What a handler gives back; the table says how it is sent. */
export type Given<Name extends RouteName> = Kind<Name> extends "json" ? RouteAnswer<Name>
  : Kind<Name> extends "text" ? Exposition
  : ReadableStream<Uint8Array>;

/** @throws SentinelError */
export type Handler<Name extends RouteName> = (
  asked: Asked<Name>,
) => Given<Name> | Promise<Given<Name>>;

/** One for each route; leaving one out does not compile. */
export type Handlers = { readonly [Name in RouteName]: Handler<Name> };

/** What handlers work with. */
export interface Context {
  readonly control: Control;
  readonly clock: Clock;
  readonly facts: Facts;
  readonly metrics: ((accept: string | undefined) => Exposition) | undefined;
  readonly streams: Streams;
}
