import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { type ClientName, CLIENTS } from "../../cli/clients/clients.ts";
import { imported, readFixture } from "./import_setup.ts";

const CASES = ["stdio", "http", "variables", "comments", "broken"];
/** The places of user files differ between systems; the fixtures have those of Linux. */
const elsewhere = process.platform === "linux" ? false : "the fixtures name places of Linux";

describe("import: what a client's file becomes", { skip: elsewhere }, () => {
  for (const client of Object.keys(CLIENTS) as ClientName[]) {
    for (const name of CASES) {
      it(`${client}, ${name}`, async () => {
        const { input: _input, ...expected } = readFixture(client, name);
        const actual = await imported(readFixture(client, name));
        assert.deepEqual(actual, expected);
      });
    }
  }
});
