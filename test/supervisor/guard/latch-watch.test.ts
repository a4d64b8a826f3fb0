import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import type { FSWatcher } from 'node:fs';
import { mock, test } from 'node:test';
import type { SupervisorGround } from '../../../src/supervisor/ground.ts';
import { watchLatches } from '../../../src/supervisor/guard/latch-watch.ts';

class FakeWatcher extends EventEmitter {
  isClosed = false;
  close(): void {
    this.isClosed = true;
  }
}

function fakeLog(): { log: SupervisorGround['log']; said: string[] } {
  const said: string[] = [];
  const log = { error: (text: string) => said.push(text) } as unknown as SupervisorGround['log'];
  return { log, said };
}

const SAID = 'the kill switches cannot be watched, looking at them every second';

test('where no watch can be had the folder is looked at every second, until it is closed', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { log, said } = fakeLog();
    let looks = 0;
    const close = watchLatches(
      '/kill',
      () => (looks += 1),
      log,
      () => {
        throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      },
    );
    mock.timers.tick(3000);
    assert.equal(looks, 3);
    assert.deepEqual(said, [SAID]);
    close();
    mock.timers.tick(3000);
    assert.equal(looks, 3);
  } finally {
    mock.timers.reset();
  }
});

test('a watch that breaks is followed by looks; one that holds is enough', () => {
  mock.timers.enable({ apis: ['setInterval'] });
  try {
    const { log, said } = fakeLog();
    const watcher = new FakeWatcher();
    let looks = 0;
    const close = watchLatches(
      '/kill',
      () => (looks += 1),
      log,
      (_, told) => {
        watcher.on('change', told);
        return watcher as unknown as FSWatcher;
      },
    );
    mock.timers.tick(3000);
    assert.equal(looks, 0);
    watcher.emit('change');
    assert.equal(looks, 1);
    watcher.emit('error', new Error('gone'));
    mock.timers.tick(2000);
    assert.equal(looks, 3);
    assert.deepEqual([said, watcher.isClosed], [[SAID], true]);
    close();
  } finally {
    mock.timers.reset();
  }
});
