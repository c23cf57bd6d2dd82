/** Checks by ajv, which generates code: a twentieth of the time of an interpreter, after milliseconds of compiling. */
import { Ajv2020 } from "ajv/dist/2020.js";
import { STEPS_KEYWORD } from "../../ports/schema_compiler.ts";
import { Steps } from "./steps.ts";

/** Whether a value is valid. Throws TooManySteps, or RangeError when the stack is too small. */
export type Verdict = (value: unknown, nodes: number) => boolean;

/**
 * One instance for each schema: what one schema defines is unknown to all others (trust.md 0.3).
 *
 * @throws EvalError where code must not be generated
 */
export function compileVerdict(schema: Readonly<Record<string, unknown>>): Verdict {
  const steps = new Steps();
  const ajv = new Ajv2020({
    strict: false,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    inlineRefs: false,
    ownProperties: true,
    logger: false,
  });
  ajv.addKeyword({
    keyword: STEPS_KEYWORD,
    errors: false,
    // With "valid" set, ajv would leave out the call, whose result it then does not need.
    compile: () => () => {
      steps.take();
      return true;
    },
  });
  const valid = ajv.compile(schema);
  return (value, nodes) => {
    steps.begin(nodes);
    return valid(value);
  };
}
