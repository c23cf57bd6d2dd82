/** Reads the JUnit reports of the three runners into the same plain results. */

/** One test that has no tests inside it. */
export interface TestCase {
  /** Suites and test, joined with " > ". */
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
}

const TAG = /<(\/?)(testsuite|testcase|failure|error|skipped)((?:\s+[\w:-]+="[^"]*")*)\s*(\/?)>/g;
const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&apos;": "'",
  "&amp;": "&",
};

/**
 * Tests of a report, innermost only: Deno also lists each `describe` as a test. Deno's names are
 * full ones below suites that are modules; in the others' reports the suites are the `describe`s.
 */
export function readJunit(xml: string): TestCase[] {
  const fullNames = xml.includes('<testsuites name="deno test"');
  const cases: { name: string; outcome: TestCase["outcome"] }[] = [];
  const suites: string[] = [];
  for (const [, slash, tag = "", attributes = "", selfClosed] of xml.matchAll(TAG)) {
    const opens = slash === "";
    if (tag === "testsuite") {
      if (!opens) suites.pop();
      else if (selfClosed === "" && !fullNames) suites.push(nameIn(attributes));
    } else if (tag === "testcase") {
      if (opens) {
        cases.push({ name: [...suites, nameIn(attributes)].join(" > "), outcome: "passed" });
      }
    } else if (opens) {
      const last = cases.at(-1);
      if (last !== undefined) last.outcome = tag === "skipped" ? "skipped" : "failed";
    }
  }
  const names = cases.map(({ name }) => name);
  return cases.filter(({ name }) => !names.some((other) => other.startsWith(`${name} > `)));
}

function nameIn(attributes: string): string {
  const [, name = ""] = /\sname="([^"]*)"/.exec(attributes) ?? [];
  return name.replace(/&(?:lt|gt|quot|apos|amp);/g, (entity) => ENTITIES[entity] ?? entity);
}
