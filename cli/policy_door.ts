/** The door to what a configuration says of callers and calls: it brings the core, so it is loaded when it is used. */
export const loadPolicy = () => import("../src/hosts/policy.ts");

export type PolicyDoor = Awaited<ReturnType<typeof loadPolicy>>;
