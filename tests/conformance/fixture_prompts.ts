import { type Answers, field, type FixtureCall, type FixtureChanges } from "./fixture_call.ts";
import { PIXEL } from "./fixture_media.ts";

type Arguments = Readonly<Record<string, string>>;
interface PromptMessage {
  role: "user";
  content: Record<string, unknown>;
}

export interface FixturePrompt {
  readonly description: string;
  readonly arguments: { name: string; description: string; required: boolean }[];
  messages(args: Arguments, call: FixtureCall): PromptMessage[] | Promise<PromptMessage[]>;
}

const PROMPTS: Readonly<Record<string, FixturePrompt>> = {
  test_simple_prompt: {
    description: "No arguments",
    arguments: [],
    messages: () => [user({ type: "text", text: "This is a simple prompt for testing." })],
  },
  test_prompt_with_arguments: {
    description: "Two required arguments",
    arguments: [argument("arg1"), argument("arg2")],
    messages: ({ arg1, arg2 }) => [
      user({ type: "text", text: `Prompt with arguments: arg1='${arg1}', arg2='${arg2}'` }),
    ],
  },
  test_prompt_with_embedded_resource: {
    description: "Embeds a resource",
    arguments: [argument("resourceUri")],
    messages: ({ resourceUri }) => [
      user({
        type: "resource",
        resource: {
          uri: resourceUri,
          mimeType: "text/plain",
          text: "Embedded resource content for testing.",
        },
      }),
      user({ type: "text", text: "Please process the embedded resource above." }),
    ],
  },
  test_prompt_with_image: {
    description: "Contains an image",
    arguments: [],
    messages: () => [
      user({ type: "image", data: PIXEL, mimeType: "image/png" }),
      user({ type: "text", text: "Please analyze the image above." }),
    ],
  },
  test_input_required_result_prompt: {
    description: "Asks the user first",
    arguments: [],
    messages: async (_, call) => {
      const answers: Answers = await call.ask({
        user_context: field("What context should the prompt use?", "context", "string"),
      });
      return [user({ type: "text", text: `Context: ${JSON.stringify(answers)}` })];
    },
  },
};

/** The prompts that the suite gets by name, as they are at the moment. */
export function promptsNow({ prompts }: FixtureChanges): Readonly<Record<string, FixturePrompt>> {
  return {
    ...PROMPTS,
    test_changing_prompt: {
      description: `The list of prompts has changed ${prompts} times`,
      arguments: [],
      messages: () => [user({ type: "text", text: "A prompt of a list that changes." })],
    },
  };
}

function argument(name: string) {
  return { name, description: `Value of ${name}`, required: true };
}

function user(content: Record<string, unknown>) {
  return { role: "user" as const, content };
}
