import { PIXEL } from "./fixture_media.ts";

type Arguments = Readonly<Record<string, string>>;

interface FixturePrompt {
  readonly description: string;
  readonly arguments: { name: string; description: string; required: boolean }[];
  messages(args: Arguments): { role: "user"; content: Record<string, unknown> }[];
}

/** The prompts that the suite gets by name. */
export const PROMPTS: Readonly<Record<string, FixturePrompt>> = {
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
};

function argument(name: string) {
  return { name, description: `Value of ${name}`, required: true };
}

function user(content: Record<string, unknown>) {
  return { role: "user" as const, content };
}
