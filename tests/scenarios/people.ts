/** Clients that answer what they are asked with a mark of their own. */
import {
  type Client,
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
} from "../support/sdk.ts";
import { type Address, connect, createClient, INTERACTIVE } from "./clients.ts";
import type { Gathering } from "./gathering.ts";

export class Person {
  readonly mark: string;
  readonly client: Client;
  /** Methods this person was asked, in order. */
  readonly asked: string[] = [];
  /** Answers wait until everybody has been asked. */
  gathering: Gathering | undefined;

  constructor(mark: string) {
    this.mark = mark;
    this.client = createClient(INTERACTIVE);
    this.client.setRequestHandler(ElicitRequestSchema, async ({ method, params }) => {
      await this.#remember(method);
      if (params.mode === "url") return { action: this.#isOwn(params.url) ? "accept" : "decline" };
      return { action: "accept", content: { name: this.mark } };
    });
    this.client.setRequestHandler(CreateMessageRequestSchema, async ({ method }) => {
      await this.#remember(method);
      return { role: "assistant", model: "none", content: { type: "text", text: this.mark } };
    });
    this.client.setRequestHandler(ListRootsRequestSchema, ({ method }) => {
      this.asked.push(method);
      return { roots: [{ uri: `file:///${this.mark}`, name: this.mark }] };
    });
  }

  #isOwn(url: string): boolean {
    return url.endsWith(`/${this.mark}`);
  }

  async #remember(method: string): Promise<void> {
    this.asked.push(method);
    await this.gathering?.arrive();
  }
}

/** One person at each address, connected. */
export async function gather(addresses: readonly Address[]): Promise<Person[]> {
  const people = addresses.map((_, index) => new Person(`person-${index}-mark`));
  await Promise.all(
    people.map(({ client }, index) => connect(addresses[index] as Address, client)),
  );
  return people;
}

/** The marks that occur in a text. */
export function marksIn(text: string): string[] {
  return [...new Set(text.match(/person-\d+-mark/g))];
}
