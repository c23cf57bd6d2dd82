/** What `--json` prints of `connect`. */
import * as v from "valibot";
import { list, text } from "../describe.ts";

const absent = v.optional;

const gateway = {
  name: text("Of the entry."),
  url: text("Endpoint of the gateway."),
  token: absent(text("Variable from which the client takes the token; missing without sign-in.")),
};
const client = text("Client, as `connect` names it.");

export const ConnectAdviceOutput = v.object({
  ...gateway,
  items: list(
    v.object({
      client,
      file: text("Where the entry belongs."),
      snippet: text("The entry as it stands in an otherwise empty file."),
      command: absent(text("The client's own command that adds it.")),
      link: absent(text("What the client opens to add it.")),
    }),
    "What to add, client by client.",
  ),
});

export const ConnectLinksOutput = v.object({
  items: list(
    v.object({ client, link: text("What the client opens to add the gateway.") }),
    "Clients that have such links.",
  ),
});

export const ConnectOutput = v.object({
  ...gateway,
  items: list(
    v.object({
      client,
      file: text("File of the client."),
      result: v.pipe(
        v.picklist(["added", "updated", "unchanged"]),
        v.description("What became of the entry."),
      ),
      moved: list(v.string(), "Servers that are behind the gateway now."),
      stayed: list(
        v.object({ name: text("Of the server."), reason: text("Why it stays.") }),
        "Servers that could not be moved.",
      ),
    }),
    "Files that hold the entry now.",
  ),
});

export const ConnectUndoOutput = v.object({
  items: list(
    v.object({
      client,
      file: text("File of the client."),
      how: v.pipe(
        v.picklist(["restored", "removed", "edited", "gone"]),
        v.description(
          "`restored`: byte for byte. `removed`: there was none before. `edited`: it had changed since, so " +
            "only what `connect` did was taken back. `gone`: somebody had removed it.",
        ),
      ),
      copy: absent(text("Where the bytes from before still are.")),
    }),
    "Files that were put back.",
  ),
});
