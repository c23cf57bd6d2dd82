/** What is used of undici. A bundler that keeps later parts apart finds no names in a CommonJS package itself. */
export { Agent } from "undici";
