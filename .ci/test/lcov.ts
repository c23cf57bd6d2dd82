/** Lines with at least one hit, by file as named in the report. */
export function coveredLines(lcov: string): Map<string, Set<number>> {
  const files = new Map<string, Set<number>>();
  let current = new Set<number>();
  for (const line of lcov.split("\n")) {
    if (line.startsWith("SF:")) {
      const file = line.slice(3).replaceAll("\\", "/");
      current = files.get(file) ?? new Set();
      files.set(file, current);
    }
    const [, number, hits] = /^DA:(\d+),(\d+)/.exec(line) ?? [];
    if (number !== undefined && hits !== "0") current.add(Number(number));
  }
  return files;
}
