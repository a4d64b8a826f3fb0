/**
 * Makes the code caches of the command line, the supervisor and the instance's process by running a workflow once with what was just
 * built. A cache of what only loads the modules lacks every function of the run itself: compiling those took 9 of 65 ms of an
 * instance's start, and 25 ms of its first step.
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import { codeCacheOf } from './cached-code.ts';
import { codeOf, putLoader, warmUp } from './common-js.ts';

const DEADLINE_MS = 20_000;
const POLL_MS = 20;

const skill = (name: string, args: readonly string[]): object => ({
  name,
  description: name,
  type: 'code_inline',
  command: 'sh',
  args: ['-c', ...args],
});

const SKILLS = [
  skill('warm-object', ['echo "{\\"items\\": [1, 2]}"']),
  skill('warm-text', ['echo text; echo more >&2']),
  skill('warm-failure', ['exit 1']),
  { name: 'warm-prompt', description: 'warm-prompt', type: 'prompt_inline', prompt: 'text {{text}}' },
];

/** What most workflows use. */
const WORKFLOW = {
  name: 'warm-run',
  version: '1.0.0',
  description: 'What a build runs once',
  context: { readonly: { limit: 2 }, mutable: { counter: 0 } },
  steps: [
    { id: 'object', type: 'skill', skill: 'warm-object', outputs: ['items'] },
    { id: 'prompt', type: 'skill', skill: 'warm-prompt', inputs: { text: 'object.items[0]' } },
    {
      id: 'both',
      type: 'parallel',
      wait_for: 'all',
      steps: [
        { id: 'one', type: 'skill', skill: 'warm-text', inputs: { text: 'n ${{ context.counter }}' } },
        { id: 'two', type: 'skill', skill: 'warm-failure' },
      ],
    },
    {
      id: 'turns',
      type: 'loop',
      condition: 'counter < limit',
      steps: [{ id: 'turn', type: 'skill', skill: 'warm-prompt', set: { counter: 'counter + 1' } }],
    },
    {
      id: 'choice',
      type: 'conditional',
      condition: 'counter == 2',
      then: [{ id: 'later', type: 'skill', skill: 'warm-text', async: true }],
    },
  ],
  error_handling: {
    default: { strategy: 'halt' },
    per_step: { two: { strategy: 'retry', max_attempts: 2, initial_delay: 0.01, then: 'skip' } },
  },
};

/** What the run starts by itself. */
const PROGRAMS = ['instance/main', 'supervisor/main', 'store/writer-thread'];

export async function warmRun(root: string): Promise<void> {
  const commands = join(root, 'dist', 'cli', 'command-line.cjs');
  const programs = PROGRAMS.map((name) => join(root, 'dist', `${name}.cjs`));
  const instance = join(root, 'dist', 'instance', 'main.cjs');
  try {
    for (const program of programs) await putLoader(root, program, 'keep-code');
    await runOnce(root, commands, programs.map(codeOf));
  } catch (error) {
    const [why] = String(error).split('\n', 1);
    process.stderr.write(`build: no workflow could be run here (${why}); everything starts slower\n`);
    await warmUp(
      [codeOf(commands)],
      ['q', 'workflow', 'validate', join(root, 'examples', 'repo-report.json')],
    );
    // It ends at once, for want of a bootstrap; its modules have run then.
    await warmUp([codeOf(instance)]).catch(() => undefined);
  } finally {
    for (const program of programs) await putLoader(root, program, 'load-cached');
  }
}

/** In a state folder of its own, which is gone afterwards with its supervisor. */
async function runOnce(root: string, commands: string, codes: readonly string[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'q-warm-'));
  const file = join(folder, 'warm-run.json');
  const env = {
    ...process.env,
    Q_WORKFLOW_HOME: join(folder, 'home'),
    XDG_DATA_HOME: join(folder, 'data'),
    Q_WORKFLOW_SYSLOG: 'off',
  };
  const options = { cwd: folder, env, timeout: DEADLINE_MS };
  const command = async (...words: string[]): Promise<void> => {
    const main = join(root, 'dist', 'cli', 'main.cjs');
    await promisify(execFile)(process.execPath, [main, 'q', 'workflow', ...words], options);
  };
  mkdirSync(join(folder, '.q-skills'));
  for (const each of SKILLS)
    writeFileSync(join(folder, '.q-skills', `${nameOf(each)}.json`), JSON.stringify(each));
  writeFileSync(file, JSON.stringify(WORKFLOW));
  try {
    await command('supervisor', 'start');
    await warmUp([codeOf(commands)], ['q', 'workflow', 'run', file], options);
    await command('supervisor', 'stop');
    // They leave it as they end, the instance some milliseconds after its run.
    const deadline = Date.now() + DEADLINE_MS;
    while (!codes.every((code) => existsSync(codeCacheOf(code)))) {
      if (Date.now() > deadline) throw new Error('its processes left no code');
      await setTimeout(POLL_MS);
    }
  } finally {
    await command('supervisor', 'stop').catch(() => undefined);
    rmSync(folder, { recursive: true, force: true });
  }
}

function nameOf(each: object): string {
  return 'name' in each ? String(each.name) : '';
}
