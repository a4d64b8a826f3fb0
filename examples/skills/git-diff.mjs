// Prints {base, files, patch, is_cut}; the patch is cut where a model would drown in it.
import { spawnSync } from 'node:child_process';

const { SKILL_PARAM_base: base = 'HEAD~1', SKILL_PARAM_max_bytes: most = '60000' } = process.env;
function git(...args) {
  const { status, stdout, stderr, error } = spawnSync('git', args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw error ?? new Error(stderr.split('\n')[0]);
  return stdout;
}
const files = git('diff', '--name-only', `${base}...HEAD`).split('\n').filter(Boolean);
const patch = git('diff', '--no-ext-diff', '--no-textconv', `${base}...HEAD`);
console.log(
  JSON.stringify({ base, files, patch: patch.slice(0, Number(most)), is_cut: patch.length > Number(most) }),
);
