import assert from "node:assert/strict";
import { describe } from "node:test";
import { fixtureBackend, startCore } from "../../support/core.ts";
import { proves } from "../../support/proves.ts";
import { type Client, FRONTS, openClient, SIGN_IN, tokenFor } from "../auth/clients.ts";

describe("limits of signed-in callers", () => {
  proves(
    "G6.1",
    "a person is one caller on all fronts, two persons are two, and roles have their own limits",
    async () => {
      const gateway = await startCore({
        backends: { fix: fixtureBackend() },
        auth: SIGN_IN,
        roles: { default: { tools: ["*"] }, admin: { tools: ["*"] } },
        limits: { default: { rate: "3/h" }, roles: { admin: { rate: "5/h" } } },
      });
      try {
        const clientsOf = async (subject: string, roles: readonly string[]) => {
          const token = await tokenFor(subject, roles);
          return await Promise.all(FRONTS.map((front) => openClient(gateway.core, front, token)));
        };
        const anna = await clientsOf("anna", []);
        const ben = await clientsOf("ben", []);
        const carla = await clientsOf("carla", ["admin"]);
        assert.equal(await allowedOf(anna), 3);
        assert.equal(await allowedOf(ben), 3);
        assert.equal(await allowedOf(carla), 5);
        const callers = [...gateway.core.control.limits(0)].map(({ caller }) => caller);
        assert.equal(new Set(callers).size, 3);
        for (const client of [anna, ben, carla].flat()) await client.close();
      } finally {
        await gateway.stop();
      }
    },
  );
});

/** How many of four calls on each front are let through. */
async function allowedOf(clients: readonly Client[]): Promise<number> {
  let allowed = 0;
  for (let round = 0; round < 4; round++) {
    for (const client of clients) {
      const { error } = await client.request("tools/call", { name: "fix__echo", arguments: {} });
      if (error === undefined) allowed++;
      else assert.equal(error.code, -31010);
    }
  }
  return allowed;
}
