#!/usr/bin/env node
import { PREPARED } from "./prepared.ts";
import { quickAnswer } from "./quick.ts";
import { quickHost } from "./quick_host.ts";

const host = quickHost();
const answer = PREPARED === undefined ? undefined : quickAnswer(host, PREPARED);
if (answer !== undefined) await host.write(answer);
else await (await import("./command_line.ts")).main();
