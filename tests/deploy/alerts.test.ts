import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it, test } from "node:test";
import { readSource, ROOT } from "../arch/source_files.ts";
import { inFolder } from "../support/temporary_folder.ts";
import { ALERT_CASES, type AlertCase } from "./alert_cases.ts";
import { type AlertRule, alertRules, HAS_PROMETHEUS, promtool, RULES } from "./shipped.ts";

const GUIDE = "docs/operating.md";

describe("alerts", () => {
  const rules = new Map(alertRules().map((rule) => [rule.alert, rule]));

  it("say what they are about, how bad it is and where to read on", () => {
    assert.ok(rules.size >= 15, `saw only ${rules.size} alerts`);
    for (const { alert, labels, annotations } of rules.values()) {
      assert.match(labels["severity"] ?? "", /^(?:critical|warning|info)$/, alert);
      assert.ok(annotations.summary.length > 10 && annotations.description.length > 10, alert);
      assert.equal(annotations.runbook, `${GUIDE}#${alert.toLowerCase()}`);
    }
  });

  it("have a section each in the guide, which says what to do", () => {
    const [, ...sections] = readSource(GUIDE).split(/^### /m);
    const guides = new Map(sections.map((text) => [text.split("\n", 1)[0] ?? "", text]));
    for (const alert of rules.keys()) {
      const text = guides.get(alert) ?? "";
      assert.ok(/^```\n[a-z]/m.test(text) || /\(#sentinel\w+\)/.test(text), alert);
    }
    const strange = [...guides.keys()].filter((name) =>
      name.startsWith("Sentinel") && !rules.has(name)
    );
    assert.deepEqual(strange, []);
  });

  it("are each seen to fire and to be quiet", () => {
    for (const alert of rules.keys()) {
      const cases = ALERT_CASES.filter((one) => one.alert === alert);
      assert.ok(cases.some(({ fires }) => fires.length > 0), `${alert} is never seen to fire`);
      assert.ok(cases.some(({ fires }) => fires.length === 0), `${alert} is never seen quiet`);
    }
  });

  const options = { skip: !HAS_PROMETHEUS, timeout: 120_000 };
  test(
    "fire for what they are for, and for nothing else",
    options,
    () =>
      inFolder(async (folder) => {
        for (const every of new Set(ALERT_CASES.map(stepOf))) {
          const file = join(folder, `every_${every}.yml`);
          const cases = ALERT_CASES.filter((one) => stepOf(one) === every);
          await writeFile(file, testFile(every, cases.map((one) => unitTest(one, rules))));
          const { status, said } = promtool(["test", "rules", file]);
          assert.equal(status, 0, said);
        }
      }),
  );

  test(
    "would be found out by these cases if they did not",
    options,
    () =>
      inFolder(async (folder) => {
        const file = join(folder, "wrong.yml");
        const [first] = ALERT_CASES;
        assert.ok(first !== undefined && first.fires.length > 0);
        const wrong = unitTest({ ...first, fires: [] }, rules);
        await writeFile(file, testFile(stepOf(first), [wrong]));
        assert.equal(promtool(["test", "rules", file]).status, 1);
      }),
  );
});

function stepOf({ every = "1m" }: AlertCase): string {
  return every;
}

function testFile(evaluation_interval: string, tests: readonly unknown[]): string {
  return JSON.stringify({ rule_files: [ROOT + RULES], evaluation_interval, tests });
}

/** A case in the words of promtool. */
function unitTest(
  { alert, about, every = "1m", series, at, fires }: AlertCase,
  rules: ReadonlyMap<string, AlertRule>,
) {
  const rule = rules.get(alert);
  assert.ok(rule !== undefined, `there is no alert ${alert}`);
  return {
    name: `${alert}: ${about}`,
    interval: every,
    input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
    alert_rule_test: [{
      eval_time: at,
      alertname: alert,
      exp_alerts: fires.map((labels) => ({
        exp_labels: { ...rule.labels, ...labels },
        exp_annotations: annotationsOf(rule, labels),
      })),
    }],
  };
}

function annotationsOf({ annotations }: AlertRule, labels: Readonly<Record<string, string>>) {
  const filled = Object.entries(annotations).map(([name, text]) => [
    name,
    text.replace(/\{\{ \$labels\.(\w+) \}\}/g, (_, label: string) => labels[label] ?? ""),
  ]);
  return Object.fromEntries(filled) as Readonly<Record<string, string>>;
}
