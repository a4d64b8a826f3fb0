import type { Distribution, Family, Labels } from './registry.ts';

/** https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4. */
export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function prometheusText(families: readonly Family[]): string {
  return families
    .flatMap(familyLines)
    .map((line) => `${line}\n`)
    .join('');
}

function familyLines(family: Family): string[] {
  const { name, help, type } = family;
  const head = [
    `# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`,
    `# TYPE ${name} ${type}`,
  ];
  if (family.type !== 'histogram')
    return [
      ...head,
      ...family.points.map(({ labels, value }) => `${name}${labelText(labels)} ${numeral(value)}`),
    ];
  return [...head, ...family.points.flatMap((point) => distributionLines(name, family.bounds, point))];
}

function distributionLines(
  name: string,
  bounds: readonly number[],
  { labels, count, sum, buckets }: Distribution,
): string[] {
  let below = 0;
  const lines = bounds.map((bound, index) => {
    below += buckets[index] ?? 0;
    return `${name}_bucket${labelText({ ...labels, le: numeral(bound) })} ${below}`;
  });
  return [
    ...lines,
    `${name}_bucket${labelText({ ...labels, le: '+Inf' })} ${count}`,
    `${name}_sum${labelText(labels)} ${numeral(sum)}`,
    `${name}_count${labelText(labels)} ${count}`,
  ];
}

function labelText(labels: Labels): string {
  const parts = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n')}"`,
  );
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function numeral(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isNaN(value) ? 'NaN' : String(value);
}
