/** Files that are replaced in one step: whoever reads one finds all of the old text or all of the new one. */
import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";

export interface WholeFileOptions {
  /** Permissions, whatever the mask of the process says. */
  readonly mode: number;
  /** Called when all is written, before the file is replaced; what it throws leaves the old one. */
  readonly check?: () => Promise<void>;
}

/** Its folder must be there. @throws what the system or `check` says; then nothing has changed */
export async function writeWhole(
  path: string,
  content: string | Uint8Array,
  { mode, check }: WholeFileOptions,
): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${process.pid}.new`);
  try {
    await writeDraft(draft, content, mode);
    await check?.();
    await rename(draft, path);
  } catch (thrown) {
    await rm(draft, { force: true }).catch(() => undefined);
    throw thrown;
  }
}

async function writeDraft(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const handle = await open(path, "wx", mode);
  try {
    await handle.writeFile(content);
    if (process.platform !== "win32") await handle.chmod(mode);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
