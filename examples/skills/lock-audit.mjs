// Reads package-lock.json, without any network. Prints {packages, findings: [{package, problem, blocks}], blocking}.
import { readFileSync } from 'node:fs';

const { lockfile, allow_scripts: scripts, licenses } = JSON.parse(readFileSync(0, 'utf8'));
const { packages } = JSON.parse(readFileSync(lockfile, 'utf8'));
const installed = Object.entries(packages).filter(
  ([path, entry]) => path.includes('node_modules/') && entry.link !== true,
);
/** Of `A OR B` one is enough. */
const isFine = (license) =>
  license
    .replace(/[()]/g, '')
    .split(' OR ')
    .some((each) => licenses.includes(each));
const findings = [];
const versions = new Map();
for (const [path, entry] of installed) {
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  const find = (problem, blocks) => findings.push({ package: `${name} ${entry.version}`, problem, blocks });
  versions.set(name, (versions.get(name) ?? new Set()).add(entry.version));
  if (entry.hasInstallScript === true && !scripts.includes(name))
    find('runs a script at its installation', true);
  if (entry.integrity === undefined) find('has no checksum', true);
  if (entry.resolved !== undefined && !entry.resolved.startsWith('https://'))
    find(`comes from ${entry.resolved}`, true);
  if (entry.deprecated !== undefined) find(`is deprecated: ${entry.deprecated}`, false);
  if (entry.license !== undefined && !isFine(entry.license)) find(`has the license ${entry.license}`, false);
}
for (const [name, all] of versions)
  if (all.size > 2)
    findings.push({ package: name, problem: `is there in ${all.size} versions`, blocks: false });
console.log(
  JSON.stringify({
    packages: installed.length,
    findings,
    blocking: findings.filter((each) => each.blocks).length,
  }),
);
