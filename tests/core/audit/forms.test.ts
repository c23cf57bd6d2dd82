import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Forms } from "../../../src/core/audit/forms.ts";
import { parseExact } from "../../../src/core/mcp/json.ts";
import { systemDigest } from "../../../src/hosts/digest.ts";

const forms = new Forms(["password", "token", "*secret*"], systemDigest);

describe("forms of recorded values", () => {
  it("redacted: fields by name, at any depth, in any case, and nothing else", () => {
    const value = {
      password: "p",
      Password: { deep: 1 },
      list: [{ Token: "t", kept: "token" }, "password"],
      "my-Secret-key": null,
      text: "x",
    };
    const before = structuredClone(value);
    assert.deepEqual(forms.ofValue(value, "redacted"), {
      password: "«redacted»",
      Password: "«redacted»",
      list: [{ Token: "«redacted»", kept: "token" }, "password"],
      "my-Secret-key": "«redacted»",
      text: "x",
    });
    assert.deepEqual(value, before, "what is forwarded stays as it is");
  });

  it("full: everything; hash: the text's; none: nothing", () => {
    const value = { password: "p" };
    assert.deepEqual(forms.ofValue(value, "full"), value);
    assert.equal(forms.ofValue(value, "hash"), `sha256:${systemDigest.sha256('{"password":"p"}')}`);
    assert.equal(forms.ofValue(value, "none"), undefined);
    assert.equal(forms.ofValue(undefined, "full"), undefined);
    assert.equal(forms.ofText('{"a":1}', "hash"), `sha256:${systemDigest.sha256('{"a":1}')}`);
    assert.deepEqual(forms.ofText('{"token":1,"a":2}', "redacted"), { token: "«redacted»", a: 2 });
  });

  it("numbers no double carries are kept as their digits", () => {
    const value = parseExact('{"n":9007199254740993,"l":[1e400,2]}');
    assert.equal(
      JSON.stringify(forms.ofValue(value, "full")),
      '{"n":"9007199254740993","l":["1e400",2]}',
    );
  });

  it("a large value is told by its size, whatever makes it large", () => {
    const large = [
      { text: "x".repeat(20_000) },
      Array.from({ length: 20_000 }, (_, n) => n),
      Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`key${n}`, n])),
    ];
    for (const value of large) {
      assert.deepEqual(forms.ofValue(value, "full"), { omitted: "larger than 16384 characters" });
    }
    assert.deepEqual(forms.ofText(JSON.stringify(large[0]), "redacted"), {
      omitted: "larger than 16384 characters",
    });
  });

  it("names of prototypes are names like others", () => {
    const value = JSON.parse('{"__proto__":{"token":"t"},"constructor":{"token":"t"}}');
    const recorded = forms.ofValue(value, "redacted") as object;
    assert.equal(
      JSON.stringify(recorded),
      '{"__proto__":{"token":"«redacted»"},"constructor":{"token":"«redacted»"}}',
    );
    assert.equal(Object.getPrototypeOf(recorded), Object.prototype);
  });
});
