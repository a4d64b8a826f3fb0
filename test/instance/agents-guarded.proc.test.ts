/** What no layer lifts is held by the sandbox too, whatever a command is made of when it runs. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { openAgentBench } from '../setup/agents.ts';
import { ROOT } from '../setup/bench-home.ts';
import { assertNothingLeft } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const FILES = [
  '.git/config',
  '.git/hooks/x.sample',
  '.kiro/agents/x.json',
  '.amazonq/policies/p.json',
  '.q-skills/s.json',
];
/** Words that no reader of the command knows; each writes, moves or removes what is guarded. */
const ATTEMPTS = [
  'd=$(echo .git); echo "[core]" >> $d/config',
  'd=$(echo .git); printf x > $d/hooks/x.sample',
  'd=$(echo .git); mv $d/config $d/old',
  'd=$(echo .git); mv $d gone',
  'd=$(echo kiro); echo x > .$d/agents/x.json',
  'd=$(echo kiro); mv .$d gone',
  'd=$(echo kiro); rm -r .$d/agents',
  'd=$(echo amazonq); rm -rf .$d/policies; echo x > .$d/policies/p.json',
  'd=$(echo q-skills); ln -sfn evil .$d; echo x > .$d/s.json',
];

const runs = (command: string) => ({ name: 'execute_bash', args: { command } });

test('an agent cannot write what decides about it, by any command', {
  timeout: 60_000,
  skip: lacks,
}, async (t) => {
  const commit =
    'echo y > new && git add new && git -c user.name=a -c user.email=a@b commit -qm x && git log -1 --format=%s';
  const desk = await openAgentBench({
    turns: [
      // Without something that works in between the agent would be stuck.
      ...ATTEMPTS.map((command, index) => ({ calls: [runs(command), runs(`echo ${index}`)] })),
      { calls: [runs(commit)] },
      { text: 'done' },
    ],
  });
  t.after(() => desk.close());
  const { workspace } = desk.bench;
  execFileSync('git', ['init', '-q', '.'], { cwd: workspace });
  for (const file of FILES) {
    mkdirSync(join(workspace, file, '..'), { recursive: true });
    if (file !== '.git/config') writeFileSync(join(workspace, file), '{}');
  }
  const before = FILES.map((file) => readFileSync(join(workspace, file), 'utf8'));
  desk.workflow('w', { guardrails: { max_iterations: 20 } });
  const { run } = await desk.run('w');
  assert.equal(run.status, 'completed', JSON.stringify(run.error));
  const ended = desk
    .agentEvents(run.id)
    .flatMap((event) =>
      event.type === 'agent.tool_ended' && event.call.endsWith('-1') ? [[event.outcome, event.result]] : [],
    );
  // They were run: it is the sandbox that holds, not the reading of the command.
  assert.deepEqual(
    ended.slice(0, -1).map(([outcome]) => outcome),
    ATTEMPTS.map(() => 'error'),
    JSON.stringify(ended),
  );
  assert.deepEqual(
    FILES.map((file) =>
      existsSync(join(workspace, file)) ? readFileSync(join(workspace, file), 'utf8') : null,
    ),
    before,
  );
  assert.deepEqual(ended.at(-1), ['ok', 'x']);
  assertNothingLeft(run.id);
});

test('an agent commits as the person, of whose settings of git it sees nothing else', {
  timeout: 60_000,
  skip: lacks,
}, async (t) => {
  const desk = await openAgentBench({
    turns: [
      { calls: [runs("echo y > new && git add new && git commit -qm x && git log -1 --format='%an <%ae>'")] },
      { calls: [runs('cat ~/.gitconfig; git config --get core.pager'), runs('echo x >> ~/.gitconfig')] },
      { text: 'done' },
    ],
  });
  t.after(() => desk.close());
  const { workspace, env } = desk.bench;
  execFileSync('git', ['init', '-q', '.'], { cwd: workspace });
  writeFileSync(
    join(env['HOME'] ?? '', '.gitconfig'),
    '[user]\n\tname = Ann Lee\n\temail = ann@example.com\n[core]\n\tpager = secret\n',
  );
  desk.workflow('w');
  const { run } = await desk.run('w');
  assert.equal(run.status, 'completed', JSON.stringify(run.error));
  const [commit, settings, write] = desk
    .agentEvents(run.id)
    .flatMap((event) => (event.type === 'agent.tool_ended' ? [event] : []))
    .sort((a, b) => a.call.localeCompare(b.call));
  assert.deepEqual([commit?.outcome, commit?.result], ['ok', 'Ann Lee <ann@example.com>']);
  const seen = JSON.stringify(settings?.result);
  assert.ok(seen.includes('Ann Lee') && !seen.includes('secret'), seen);
  assert.notEqual(write?.outcome, 'ok');
});

test('where the policies let nobody commit, commands and what they run change nothing of the repository', {
  timeout: 60_000,
  skip: lacks,
}, async (t) => {
  const desk = await openAgentBench({
    turns: [
      { calls: [runs('npm test')] },
      { calls: [runs('git status --short'), runs('git log -1 --format=%s')] },
      { text: 'done' },
    ],
  });
  t.after(() => desk.close());
  const { workspace, env } = desk.bench;
  const policies = join(env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  rmSync(policies, { recursive: true, force: true });
  mkdirSync(policies, { recursive: true, mode: 0o700 });
  copyFileSync(join(ROOT, 'policies', 'ci.json'), join(policies, 'ci.json'));
  chmodSync(join(policies, 'ci.json'), 0o600);
  execFileSync('git', ['init', '-q', '.'], { cwd: workspace });
  execFileSync('git', [...'-c user.name=a -c user.email=a@b commit -q --allow-empty -m first'.split(' ')], {
    cwd: workspace,
  });
  const script = 'echo ran > ran; echo ../evil > .git/commondir; git tag made; true';
  writeFileSync(join(workspace, 'package.json'), JSON.stringify({ name: 'w', scripts: { test: script } }));
  desk.workflow('w');
  const { run } = await desk.run('w');
  assert.equal(run.status, 'completed', JSON.stringify(run.error));
  const outcomes = desk
    .agentEvents(run.id)
    .flatMap((event) => (event.type === 'agent.tool_ended' ? [event.outcome] : []));
  assert.deepEqual(outcomes, ['ok', 'ok', 'ok']);
  assert.ok(existsSync(join(workspace, 'ran')));
  assert.ok(!existsSync(join(workspace, '.git', 'commondir')));
  assert.equal(execFileSync('git', ['tag'], { cwd: workspace, encoding: 'utf8' }), '');
});
