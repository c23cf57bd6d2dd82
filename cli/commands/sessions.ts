import type { SessionStatus } from "../../src/contract/manage/mod.ts";
import { age } from "../backend_table.ts";
import { confirm } from "../confirm.ts";
import { EXIT } from "../exit.ts";
import { asFailure, connect } from "../management.ts";
import { finish } from "../operation.ts";
import { columns } from "../output.ts";
import { listed, type ListingOptions, section, show, tableOf } from "../show.ts";
import type { Column } from "../table.ts";
import type { TargetOptions, TargetRequest } from "../target.ts";
import { briefDuration, visible } from "../text.ts";

interface ListRequest extends TargetRequest {
  readonly options: TargetOptions & ListingOptions;
}

interface SessionRequest extends TargetRequest {
  readonly options: TargetOptions & { readonly yes?: true };
  /** As in the list. */
  readonly id: string;
}

/** Prints the open sessions, oldest first. */
export async function listSessions(request: ListRequest): Promise<number> {
  const { io, output, options } = request;
  const connection = await connect(request);
  const answer = await listed({ connection, route: "sessions", options });
  show({ output, route: "sessions", answer }, ({ items }) => {
    const empty = options.filter === undefined ? "no open sessions" : "no session matches";
    return tableOf({ output, options, rows: items, empty }, sessionColumns(io.clock.now()));
  });
  return EXIT.done;
}

/** Prints one session with its connections. */
export async function showSession(request: SessionRequest): Promise<number> {
  const { io, output, id } = request;
  const connection = await connect(request);
  const { client, wait } = connection;
  const answer = await asFailure(() => client.request("session", { params: { id }, ...wait }));
  show({ output, route: "session", answer }, (session) => [
    output.paint("strong", session.id),
    ...columns([
      ["user", session.principal ?? "anybody: sign-in is off"],
      ["client", session.client ?? "unnamed"],
      ["came by", `${session.transport}, revision ${session.protocol}`],
      ["toolset", session.toolset ?? "all tools"],
      ["opened", `${age(session.openedAt, io.clock.now())} ago`],
      ["idle", briefDuration(session.idleSeconds)],
      ["calls", `${session.calls}, in flight ${session.inFlight}`],
      ["streams", String(session.streams)],
      ["can answer", session.capabilities.join(", ") || "nothing"],
      ["connections", session.links.join(", ") || "none of its own"],
    ]),
    ...section(output.paint("faint", "RE-ESTABLISHED"), session.restored),
    ...section(output.paint("faint", "LOST"), session.lost),
  ]);
  return EXIT.done;
}

/** Ends a session. */
export async function closeSession(request: SessionRequest): Promise<number> {
  const { io, output, options, id } = request;
  const connection = await connect(request);
  const { client, target, wait } = connection;
  await confirm({ io, options, target, act: `close session ${visible(id)}`, always: false });
  const answer = await asFailure(() => client.request("closeSession", { params: { id }, ...wait }));
  return finish({
    output,
    route: "closeSession",
    answer,
    done: `closed session ${visible(id)} on ${target.name}`,
    unchanged: `session ${visible(id)} is closed`,
    undo: "nothing to undo; its client may initialize again",
  });
}

function sessionColumns(now: number): readonly Column<SessionStatus>[] {
  return [
    { title: "ID", text: ({ id }) => id },
    { title: "USER", text: ({ principal }) => principal ?? "–", cut: true },
    { title: "CLIENT", text: ({ client }) => client ?? "–", cut: true },
    { title: "PROTO", text: ({ protocol }) => protocol },
    { title: "BY", text: ({ transport }) => transport },
    { title: "TOOLSET", text: ({ toolset }) => toolset ?? "–", wide: true },
    { title: "AGE", text: ({ openedAt }) => age(openedAt, now), right: true },
    { title: "IDLE", text: ({ idleSeconds }) => briefDuration(idleSeconds), right: true },
    { title: "CALLS", text: ({ calls }) => String(calls), right: true },
    { title: "IN FLIGHT", text: ({ inFlight }) => String(inFlight), right: true, wide: true },
    { title: "STREAMS", text: ({ streams }) => String(streams), right: true },
    { title: "RESTORED", text: ({ restored }) => String(restored.length), right: true, wide: true },
    { title: "LOST", text: ({ lost }) => String(lost.length), right: true, wide: true },
  ];
}
