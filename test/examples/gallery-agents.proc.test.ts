import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import { eventually, ROOT } from '../setup/bench-home.ts';
import { type Gallery, openGallery, output, textOutput } from '../setup/gallery.ts';
import { endOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

describe('the gallery of agents, each against the script of a mock', {
  timeout: 240_000,
  skip: lacks,
}, () => {
  let gallery: Gallery;
  before(() => {
    gallery = openGallery();
  });
  after(() => gallery.close());

  test('log-triage reads the log with the agent and writes what it found', async () => {
    const { exit, run, provider } = await gallery.play('log-triage');
    assert.equal(exit, 0, JSON.stringify(run.error));
    const report = gallery.read('log-triage.md');
    assert.match(
      report,
      /^# 7 errors in examples\/data\/service-log\.txt\n\n\*\*high\*\*: The connection pool/,
    );
    assert.match(report, /\| 3 \| query # failed: the database answered # \| 2026-03-02T02:15:41Z \|/);
    assert.match(textOutput(run, 'tell', 'text'), /^high: The connection pool .* More in log-triage\.md\.$/);
    const sent = JSON.stringify(provider.requests.at(-1)?.body);
    assert.ok(sent.includes('disk /var/lib/db is 97 % full'), 'the agent did not see the log');
  });

  test('log-triage asks no model where the log has no errors', async () => {
    gallery.write('calm.txt', '2026-03-02T02:10:01Z api INFO started\n');
    const { exit, run, provider } = await gallery.play('log-triage', ['log=calm.txt', 'output=calm.md']);
    assert.equal(exit, 0, JSON.stringify(run.error));
    assert.equal(output(run, 'quiet', 'text'), 'no errors in 1 lines');
    assert.equal(provider.requests.length, 0);
    assert.equal(existsSync(join(gallery.bench.workspace, 'calm.md')), false);
  });

  test('ci-fix changes nothing under the default policy where nobody is asked', async () => {
    const before = gallery.read('examples/data/broken-project/median.mjs');
    const { exit, run } = await gallery.play('ci-fix', [], ['--approvals', 'deny']);
    assert.equal(exit, 1);
    assert.equal(run.error?.code, 'LOOP_LIMIT', JSON.stringify(run.error));
    assert.equal(run.context['passed'], false);
    assert.equal(gallery.read('examples/data/broken-project/median.mjs'), before);
  });

  test('ci-fix mends the code under workspace-edit, and may not touch the tests', async () => {
    const tests = gallery.read('examples/data/broken-project/median.test.mjs');
    usePolicy(gallery, 'workspace-edit');
    const { exit, run } = await gallery.play('ci-fix');
    assert.equal(exit, 0, JSON.stringify(run.error));
    assert.equal(output(run, 'tell', 'text'), 'the tests pass. The numbers were sorted as text.');
    assert.equal(
      run.steps.filter(({ id }) => id === 'mend').length,
      2,
      'the second turn has nothing to mend',
    );
    assert.equal(gallery.read('examples/data/broken-project/median.test.mjs'), tests);
    const again = spawnSync(process.execPath, ['--test'], {
      cwd: join(gallery.bench.workspace, 'examples/data/broken-project'),
      env: { PATH: process.env['PATH'] },
    });
    assert.equal(again.status, 0);
  });

  test('code-review posts nothing before a person has agreed', async () => {
    gallery.git('init', '-q');
    gallery.git('add', 'examples/skills');
    gallery.git('commit', '-qm', 'Begin');
    gallery.git('add', 'examples/data');
    gallery.git('commit', '-qm', 'Add a median');
    usePolicy(gallery, 'read-only');
    const posted = join(gallery.bench.workspace, 'review.txt');
    const decide = async (verb: 'approve' | 'deny'): Promise<Awaited<ReturnType<typeof endOf>>> => {
      const started = await gallery.play('code-review', [], ['--detach']);
      const { id } = started.run;
      const [asked] = await eventually('the review waits', async () => {
        const waiting = (await gallery.bench.json('approvals', id)) as ApprovalDocument[];
        return waiting.length > 0 && waiting;
      });
      assert.match(JSON.stringify(asked), /Post this review of 4 files\?/);
      assert.match(JSON.stringify(asked), /10 comes before 9/);
      assert.equal(existsSync(posted), false);
      assert.equal((await gallery.bench.q(verb, id)).status, 0);
      return endOf(gallery.bench, id);
    };
    assert.equal((await decide('deny')).status, 'failed');
    assert.equal(existsSync(posted), false);
    assert.equal((await decide('approve')).status, 'completed');
    assert.match(
      gallery.read('review.txt'),
      /mend: examples\/data\/broken-project\/median\.mjs: sort\(\) without/,
    );
  });
});

/** The shipped policy as the person's own; a run reads it when it starts. */
function usePolicy(gallery: Gallery, name: string): void {
  const folder = join(gallery.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  cpSync(join(ROOT, 'policies', `${name}.json`), join(folder, 'base.json'));
}
