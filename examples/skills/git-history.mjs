// Prints {commits, authors, first, last, weeks: [{week, commits}], busiest: [{file, changes}]} of the repository here.
import { spawnSync } from 'node:child_process';

const weeks = Number(process.env.SKILL_PARAM_weeks ?? 12);
function git(...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    encoding: 'utf8',
    maxBuffer: 256 * 1024 * 1024,
  });
  if (status !== 0) throw error ?? new Error(stderr.split('\n')[0]);
  return stdout;
}

const commits = git('log', '--no-merges', '--format=%H%x09%ct%x09%an')
  .split('\n')
  .filter(Boolean)
  .map((line) => {
    const [hash, seconds, author] = line.split('\t');
    return { hash, at: Number(seconds) * 1000, author };
  });

const week = 7 * 24 * 3600 * 1000;
const end = commits[0]?.at ?? 0;
const activity = Array.from({ length: weeks }, (_, index) => {
  const from = end - (weeks - index) * week;
  return {
    week: new Date(from + week).toISOString().slice(0, 10),
    commits: commits.filter((commit) => commit.at > from && commit.at <= from + week).length,
  };
});

const changes = new Map();
for (const file of git('log', '--no-merges', '--name-only', '--format=').split('\n').filter(Boolean))
  changes.set(file, (changes.get(file) ?? 0) + 1);
const busiest = [...changes].sort((a, b) => b[1] - a[1]).slice(0, 10);

const authors = new Map();
for (const { author } of commits) authors.set(author, (authors.get(author) ?? 0) + 1);

console.log(
  JSON.stringify({
    commits: commits.length,
    authors: [...authors].sort((a, b) => b[1] - a[1]).map(([name, count]) => ({ name, commits: count })),
    first: new Date(commits.at(-1)?.at ?? 0).toISOString(),
    last: new Date(end).toISOString(),
    weeks: activity,
    busiest: busiest.map(([file, count]) => ({ file, changes: count })),
  }),
);
