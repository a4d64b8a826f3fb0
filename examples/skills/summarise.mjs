// Reads {rows, group_by, sum} and prints {groups: [{…, rows, sum, share}], total}, the largest first.
import { readFileSync } from 'node:fs';

const { rows, group_by: by, sum } = JSON.parse(readFileSync(0, 'utf8'));
const groups = new Map();
for (const row of rows) {
  const group = groups.get(row[by]) ?? { count: 0, cents: 0 };
  // In cents: 0.1 + 0.2 has no place in a report about money.
  groups.set(row[by], { count: group.count + 1, cents: group.cents + Math.round(row[sum] * 100) });
}
const cents = [...groups.values()].reduce((all, group) => all + group.cents, 0);
const sorted = [...groups].sort(([, a], [, b]) => b.cents - a.cents);
console.log(
  JSON.stringify({
    total: cents / 100,
    groups: sorted.map(([name, group]) => ({
      [by]: name,
      rows: group.count,
      [sum]: group.cents / 100,
      share: `${Math.round((group.cents / cents) * 100)} %`,
    })),
  }),
);
