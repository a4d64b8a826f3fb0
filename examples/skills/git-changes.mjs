// Prints {since, commits, sections: [{title, subjects}]} of what was committed since a tag, or since the last one.
import { spawnSync } from 'node:child_process';

function git(...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw error ?? new Error(stderr.split('\n')[0]);
  return stdout.trim();
}
function lastTag() {
  const [tag = ''] = git('tag', '--merged', 'HEAD', '--sort=-creatordate').split('\n');
  return tag;
}

const since = process.env.SKILL_PARAM_since || lastTag();
const subjects = git('log', '--no-merges', '--format=%s', since === '' ? 'HEAD' : `${since}..HEAD`)
  .split('\n')
  .filter(Boolean);
const kinds = [
  ['Added', /^(feat(\(.*\))?!?:|(add|introduce|implement|support)\b)/i],
  ['Fixed', /^(fix(\(.*\))?!?:|(fix|mend|repair|correct)\b)/i],
  ['Removed', /^(remove|delete|drop)\b/i],
  ['Changed', /./],
];
const sections = kinds.map(([title]) => ({ title, subjects: [] }));
for (const subject of subjects) {
  const index = kinds.findIndex(([, pattern]) => pattern.test(subject));
  sections[index].subjects.push(
    subject.replace(/^(feat|fix|chore|docs|refactor|perf|test)(\(.*\))?!?:\s*/i, ''),
  );
}
console.log(
  JSON.stringify({
    since,
    commits: subjects.length,
    sections: sections.filter((each) => each.subjects.length > 0),
  }),
);
