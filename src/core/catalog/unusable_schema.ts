/** Why arguments cannot be checked against a schema. */
export class UnusableSchema extends Error {}
