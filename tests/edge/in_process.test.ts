import { startHere } from "./edges.ts";
import { callSuite } from "./suite_calls.ts";
import { storeSuite } from "./suite_stores.ts";

callSuite("in this process", () => startHere);
storeSuite("in this process", () => startHere);
