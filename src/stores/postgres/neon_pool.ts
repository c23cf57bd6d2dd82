/** What is used of the driver of Neon: the same, over WebSockets. */
export { Pool } from "@neondatabase/serverless";
