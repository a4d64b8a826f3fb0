/** The words for launchctl. No Mac has seen them: only that they are these, in this order, is shown here. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launchdManager } from '../../src/service/launchd.ts';
import type { RunTool } from '../../src/service/run-tool.ts';

function manager(loaded: { now: boolean }): { calls: string[]; it: ReturnType<typeof launchdManager> } {
  const calls: string[] = [];
  const run: RunTool = async (file, args) => {
    const [verb] = args;
    if (verb === 'print')
      return { status: loaded.now || args[1] === 'gui/501' ? 0 : 113, output: '', complaint: '' };
    if (verb === 'print-disabled')
      return { status: 0, output: '"q-workflow.supervisor" => disabled\n"other" => enabled', complaint: '' };
    calls.push([file, ...args].join(' '));
    if (verb === 'bootstrap') loaded.now = true;
    if (verb === 'bootout') loaded.now = false;
    return { status: 0, output: '', complaint: '' };
  };
  return { calls, it: launchdManager('q-workflow.supervisor', '/Users/me', 501, '/h/log', run) };
}

test('an agent is bootstrapped once, and replaced by bootout and bootstrap', async () => {
  const { calls, it } = manager({ now: false });
  const file = '/Users/me/Library/LaunchAgents/q-workflow.supervisor.plist';
  assert.equal(it.file, file);
  await it.enable();
  await it.start();
  await it.start();
  await it.restart();
  assert.deepEqual(calls, [
    'launchctl enable gui/501/q-workflow.supervisor',
    `launchctl bootstrap gui/501 ${file}`,
    'launchctl bootout gui/501/q-workflow.supervisor',
    `launchctl bootstrap gui/501 ${file}`,
  ]);
});

test('what is not loaded is only disabled', async () => {
  const { calls, it } = manager({ now: false });
  await it.disable();
  assert.deepEqual(calls, ['launchctl disable gui/501/q-workflow.supervisor']);
  assert.equal(await it.isEnabled(), false);
  assert.equal(await it.version(), 0);
});
