import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Tally } from "../../bench/tally.ts";

function echo(id: number, text: string) {
  return JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }] } });
}

function taken(status: number, body: string): Tally {
  const tally = new Tally();
  tally.take({ status, head: "", body }, 7, "seven", 1.5);
  return tally;
}

describe("Tally", () => {
  it("counts the echo of its own call with its latency", () => {
    const tally = taken(200, echo(7, "seven"));
    assert.equal(tally.errors, 0);
    assert.equal(tally.requests, 1);
    assert.equal(tally.latency().p99, 1.5);
  });

  it("counts an echo that comes as the last event of a stream", () => {
    const stream = `id: 1-1\nretry: 1000\ndata: \n\nid: 1-2\nevent: message\ndata: ${
      echo(7, "seven")
    }\n\n`;
    assert.equal(taken(200, stream).requests, 1);
  });

  const wrong = {
    "another id": [200, echo(8, "seven")],
    "another text": [200, echo(7, "eight")],
    "an error status": [500, echo(7, "seven")],
    "a JSON-RPC error": [200, `{"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}}`],
    "a tool error": [200, `{"jsonrpc":"2.0","id":7,"result":{"isError":true,"content":[]}}`],
    "an empty result": [200, `{"jsonrpc":"2.0","id":7,"result":{}}`],
    "no JSON": [200, "seven"],
    "an event for another id": [200, `event: message\ndata: ${echo(8, "seven")}\n\n`],
  } as const;
  for (const [name, [status, body]] of Object.entries(wrong)) {
    it(`counts a reply with ${name} as error, without latency`, () => {
      const tally = taken(status, body);
      assert.equal(tally.errors, 1);
      assert.equal(tally.requests, 0);
    });
  }

  it("keeps errors, but no latency, over a restart", () => {
    const tally = taken(200, echo(7, "seven"));
    tally.fail(new Error("broken"));
    tally.restart();
    assert.equal(tally.requests, 0);
    assert.equal(tally.errors, 1);
    assert.match(tally.firstError ?? "", /broken/);
  });
});
