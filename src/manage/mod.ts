/** The management API: one handler for its listener. */
export { createManage, type Manage } from "./manage.ts";
export type { ManageSettings, ManageToken } from "./options.ts";
