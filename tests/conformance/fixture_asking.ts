/** The tools that ask the client in the middle of a call. */
import {
  completion,
  elicitation,
  field,
  type FixtureCall,
  type Question,
  type Questions,
  ROOTS,
} from "./fixture_call.ts";
import { DEFAULTS_FORM, ENUMS_FORM, USER_FORM } from "./fixture_forms.ts";
import { type FixtureTool, NO_ARGUMENTS, required, text, type ToolResult } from "./fixture_tool.ts";

const NAME = field("What is your name?", "name", "string");
const CONFIRM = field("Please confirm", "ok", "boolean");

/** Called by the scenarios of sessions. */
const SESSION_TOOLS: Readonly<Record<string, FixtureTool>> = {
  test_sampling: {
    description: "Asks the client's model",
    inputSchema: required("prompt"),
    run: async ({ prompt }, call) => {
      const { answer } = await call.ask({ answer: completion(String(prompt), 100) });
      return { content: [text(`LLM response: ${JSON.stringify(answer?.["content"])}`)] };
    },
  },
  test_elicitation: {
    description: "Asks the user for name and address",
    inputSchema: required("message"),
    run: ({ message }, call) =>
      form(call, "User response", elicitation(String(message), USER_FORM)),
  },
  test_elicitation_sep1034_defaults: {
    description: "Asks the user with a default for each field",
    inputSchema: NO_ARGUMENTS,
    run: (_, call) =>
      form(call, "Elicitation completed", elicitation("Review the values", DEFAULTS_FORM)),
  },
  test_elicitation_sep1330_enums: {
    description: "Asks the user with each kind of enumeration",
    inputSchema: NO_ARGUMENTS,
    run: (_, call) => form(call, "Elicitation completed", elicitation("Choose", ENUMS_FORM)),
  },
};

/** Called by the scenarios without sessions. */
const ROUND_TOOLS: Readonly<Record<string, FixtureTool>> = {
  test_missing_capability: asking("Needs a client with a model", {
    answer: completion("Reply with the single word: pong", 16),
  }),
  test_input_required_result_elicitation: asking("Asks for a name", { user_name: NAME }),
  test_input_required_result_sampling: asking("Asks the client's model", {
    capital_question: completion("What is the capital of France?", 100),
  }),
  test_input_required_result_list_roots: asking("Asks for the roots", { client_roots: ROOTS }),
  test_input_required_result_request_state: asking("Asks and keeps a state", { confirm: CONFIRM }),
  test_input_required_result_tampered_state: asking("Refuses a state that is not its own", {
    confirm: CONFIRM,
  }),
  test_input_required_result_multiple_inputs: asking("Asks three questions at once", {
    user_name: NAME,
    greeting: completion("Generate a greeting", 50),
    client_roots: ROOTS,
  }),
  test_input_required_result_multi_round: {
    description: "Asks one question after the other",
    inputSchema: NO_ARGUMENTS,
    run: async (_, call) => {
      const first = await call.ask({ step1: field("Step 1: your name?", "name", "string") });
      const second = await call.ask({ step2: field("Step 2: a color?", "color", "string") });
      return answered({ ...first, ...second });
    },
  },
  test_input_required_result_capabilities: {
    description: "Asks what the client says it can answer",
    inputSchema: NO_ARGUMENTS,
    run: async (_, call) => {
      const possible: [string, string, Question][] = [
        ["elicitation", "user_name", NAME],
        ["sampling", "greeting", completion("Generate a short greeting", 50)],
        ["roots", "client_roots", ROOTS],
      ];
      const questions = possible.filter(([capability]) => call.client[capability] !== undefined);
      if (questions.length === 0) return { content: [text("Nothing can be asked.")] };
      return answered(
        await call.ask(
          Object.fromEntries(questions.map(([, name, question]) => [name, question])),
        ),
      );
    },
  },
};

export const ASKING_TOOLS: Readonly<Record<string, FixtureTool>> = {
  ...SESSION_TOOLS,
  ...ROUND_TOOLS,
};

function asking(description: string, questions: Questions): FixtureTool {
  return {
    description,
    inputSchema: NO_ARGUMENTS,
    run: async (_, call) => answered(await call.ask(questions)),
  };
}

function answered(answers: Readonly<Record<string, unknown>>): ToolResult {
  return { content: [text(`Answers: ${JSON.stringify(answers)}`)] };
}

async function form(call: FixtureCall, label: string, question: Question): Promise<ToolResult> {
  const { answer = {} } = await call.ask({ answer: question });
  const { action, content } = answer;
  return { content: [text(`${label}: action=${action}, content=${JSON.stringify(content)}`)] };
}
