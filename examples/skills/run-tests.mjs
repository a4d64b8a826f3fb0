// Runs the tests of a folder with node --test. Prints {passed, failures, output}; a failed test is an answer, no error.
import { spawnSync } from 'node:child_process';

const folder = process.env.SKILL_PARAM_folder;
const { status, stdout, stderr, error } = spawnSync('node', ['--test', '--test-reporter=tap'], {
  cwd: folder,
  encoding: 'utf8',
  timeout: 120_000,
  env: { ...process.env, NODE_TEST_CONTEXT: undefined },
});
if (error !== undefined) throw error;
const failures = [...stdout.matchAll(/^\s*not ok \d+ - (.*)$/gm)].map(([, name]) => name);
console.log(JSON.stringify({ passed: status === 0, failures, output: `${stdout}${stderr}`.slice(-6000) }));
