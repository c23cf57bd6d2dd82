/** What a fixture may do while it runs, in words of neither era. */
export interface FixtureCall {
  /** Capabilities the client declared. */
  readonly client: Readonly<Record<string, unknown>>;
  log(data: string): Promise<void>;
  /** Dropped when the client asked for no progress. */
  progress(progress: number, total: number): Promise<void>;
  /**
   * Asks the client everything at once and returns its answers by the same names. A server without
   * sessions asks by ending the call; the call starts over with the answers so far.
   */
  ask(questions: Questions): Promise<Answers>;
  /** Ends the stream of the answer in the middle of the call, where there are streams to come back to. */
  closeStream(): void;
  /** Tells every client that a list has changed. */
  changed(list: ChangingList): void;
}

export type Arguments = Readonly<Record<string, unknown>>;
export type Answers = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
export type Questions = Readonly<Record<string, Question>>;
export type ChangingList = "tools" | "prompts";

export interface Question {
  readonly method: "elicitation/create" | "sampling/createMessage" | "roots/list";
  readonly params: Readonly<Record<string, unknown>>;
  /** Whether an answer will do; it is asked again otherwise. Default: any. */
  accepts?(answer: Readonly<Record<string, unknown>>): boolean;
}

/** Asks the user to fill in a form. */
export function elicitation(
  message: string,
  requestedSchema: Readonly<Record<string, unknown>>,
): Question {
  return { method: "elicitation/create", params: { message, requestedSchema } };
}

/** Asks the user for one value, until it is there with the right type. */
export function field(message: string, name: string, type: "string" | "boolean"): Question {
  return {
    ...elicitation(message, { type: "object", properties: { [name]: { type } }, required: [name] }),
    accepts: ({ action, content }) =>
      action === "accept" && typeof (content as Arguments | undefined)?.[name] === type,
  };
}

/** Asks the client's model. */
export function completion(prompt: string, maxTokens: number): Question {
  const content = { type: "text", text: prompt };
  return {
    method: "sampling/createMessage",
    params: { messages: [{ role: "user", content }], maxTokens },
  };
}

export const ROOTS: Question = { method: "roots/list", params: {} };

/** What changes when it is asked to; every server counts for itself. */
export interface FixtureChanges {
  tools: number;
  prompts: number;
}
