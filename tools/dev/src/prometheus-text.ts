/** Sums of one metric by the values of one of its labels. */
export function sumsByLabel(page: string, name: string, label: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const line of page.split('\n')) {
    if (!line.startsWith(`${name}{`)) continue;
    const match = new RegExp(`[{,]${label}="([^"]*)".*\\} (\\S+)`).exec(line);
    if (match !== null) sums.set(match[1]!, (sums.get(match[1]!) ?? 0) + Number(match[2]));
  }
  return sums;
}

/** Reads a page of metrics: for each name the sum over its labels. Histograms and comments are passed over. */
export function sumsByName(page: string): Map<string, number> {
  const sums = new Map<string, number>();
  for (const line of page.split('\n')) {
    const match = /^([A-Za-z_:][\w:]*)(?:\{[^}]*\})? (\S+)/.exec(line);
    if (match === null || match[1]!.endsWith('_bucket')) continue;
    const value = Number(match[2]);
    if (Number.isFinite(value)) sums.set(match[1]!, (sums.get(match[1]!) ?? 0) + value);
  }
  return sums;
}
