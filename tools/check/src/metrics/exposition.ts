/** One sample of the Prometheus text format. */
export interface Series {
  readonly name: string;
  readonly labels: string;
  readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/;

/** The samples of an exposition in the Prometheus text format; comments are passed over. */
export function parseExposition(text: string): readonly Series[] {
  const series: Series[] = [];
  for (const line of text.split('\n')) {
    const match = SAMPLE.exec(line);
    if (match !== null && !line.startsWith('#'))
      series.push({ name: match[1] ?? '', labels: match[2] ?? '', value: Number(match[3]) });
  }
  return series;
}
