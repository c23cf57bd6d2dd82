/** What a configuration says of callers and calls, for commands: no gateway is needed, and nothing is sent to one. */
export {
  type Ground,
  judgeCall,
  type Judgement,
  type PolicyQuestion,
  signedInAs,
  toolsShown,
} from "./policy/judge.ts";
export { ANONYMOUS as signedOut } from "../core/auth/principal.ts";
export { checkToken, type TokenAnswer, type TokenQuestion } from "./policy/token.ts";
