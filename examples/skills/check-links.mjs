// Reads {kind, links} and prints {checked, broken: [{page, target, problem}]}.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const { kind, links } = JSON.parse(readFileSync(0, 'utf8'));
const isWeb = ({ target }) => /^https?:/.test(target);
const isLocal = (link) => !/^[a-z][a-z0-9+.-]*:/i.test(link.target);
const fileOf = ({ page, target }) => {
  const [path] = target.split('#');
  return path === '' ? page : join(dirname(page), decodeURI(path));
};

/** The way GitHub makes anchors of headings. */
function anchorsOf(file) {
  const seen = new Map();
  return readFileSync(file, 'utf8')
    .replace(/^```[\s\S]*?^```/gm, '')
    .split('\n')
    .filter((line) => /^#{1,6} /.test(line))
    .map((line) => {
      const anchor = line
        .replace(/^#+ /, '')
        .trim()
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-');
      const count = seen.get(anchor) ?? 0;
      seen.set(anchor, count + 1);
      return count === 0 ? anchor : `${anchor}-${count}`;
    });
}

async function webProblem({ target }) {
  try {
    const { status } = await fetch(target, {
      method: 'GET',
      redirect: 'follow',
      signal: AbortSignal.timeout(10_000),
    });
    return status < 400 ? null : `answers ${status}`;
  } catch (error) {
    return `${error.cause?.code ?? error.name}: ${error.message}`;
  }
}

const kinds = {
  files: { takes: isLocal, problem: (link) => (existsSync(fileOf(link)) ? null : 'there is no such file') },
  anchors: {
    takes: (link) =>
      isLocal(link) &&
      link.target.includes('#') &&
      existsSync(fileOf(link)) &&
      statSync(fileOf(link)).isFile(),
    problem: (link) =>
      anchorsOf(fileOf(link)).includes(link.target.split('#')[1]) ? null : 'there is no such heading',
  },
  web: { takes: isWeb, problem: webProblem },
};
const { takes, problem } = kinds[kind];
const taken = links.filter(takes);
const broken = [];
for (const link of taken) {
  const what = await problem(link);
  if (what !== null) broken.push({ ...link, problem: what });
}
// A network that fails may be better in a minute: the step's own retry tries again.
if (kind === 'web' && broken.some((link) => !link.problem.startsWith('answers 4'))) {
  console.error(broken.map((link) => `${link.target}: ${link.problem}`).join('\n'));
  process.exit(1);
}
console.log(JSON.stringify({ checked: taken.length, broken }));
