/** Notices that something happened to files. */
import { type FSWatcher, watch } from "node:fs";
import { dirname } from "node:path";

/**
 * Watches the folders of files, not the files: a file that is replaced takes its watch with it. Where the system
 * cannot watch nothing is told.
 * @returns ends the watch
 */
export function watchFolders(files: readonly string[], touched: () => void): () => void {
  const folders = new Set(files.map((file) => dirname(file)));
  const watchers = [...folders].map((folder) => watchFolder(folder, touched));
  return () => {
    for (const watcher of watchers) watcher?.close();
  };
}

function watchFolder(folder: string, touched: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, touched);
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
