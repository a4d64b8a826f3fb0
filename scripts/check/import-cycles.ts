/** No module needs itself, by whatever way round, types included: what two need has a module of its own. */
import { dirname, join } from 'node:path';
import type { Finding, Source } from './sources.ts';

const IMPORT = /\bfrom\s+'(\.[^']+)'|^import\s+'(\.[^']+)'|\bimport\('(\.[^']+)'\)/gm;

/** One finding for each way round that a walk through all imports meets. */
export function checkCycles(sources: readonly Source[]): Finding[] {
  const known = new Set(sources.map(({ file }) => file));
  const imports = new Map(
    sources.map(({ file, text }) => [file, importedBy(file, text).filter((to) => known.has(to))]),
  );
  const findings: Finding[] = [];
  const done = new Set<string>();
  const visit = (file: string, way: readonly string[]): void => {
    const start = way.indexOf(file);
    if (start >= 0) {
      const round = [...way.slice(start), file].join(' → ');
      findings.push({
        file,
        message: `imports itself: ${round}; move what both need into a module of its own`,
      });
    }
    if (start >= 0 || done.has(file)) return;
    for (const to of imports.get(file) ?? []) visit(to, [...way, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return findings;
}

function importedBy(file: string, text: string): string[] {
  return [...text.matchAll(IMPORT)].map(([, named, bare, lazy]) =>
    join(dirname(file), named ?? bare ?? lazy ?? ''),
  );
}
