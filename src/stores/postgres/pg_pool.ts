/** What is used of pg. A bundler that keeps later parts apart finds no names in a CommonJS package itself. */
export { Pool } from "pg";
