/** What `doctor` looks at beside the file: the machine, addresses, issuers, stores and backends. */
export { examineBackends } from "./examine/backends.ts";
export { examineConformance } from "./examine/conformance.ts";
export { examineIssuers } from "./examine/issuers.ts";
export { examineListeners } from "./examine/listeners.ts";
export { examineMachine } from "./examine/machine.ts";
export { nameChecks } from "./examine/names.ts";
export { patternChecks } from "./examine/patterns.ts";
export { examineState } from "./examine/state.ts";
export { examineStores } from "./examine/stores.ts";
