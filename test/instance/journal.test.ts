import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import type { RunEvent } from '../../src/engine/events.ts';
import { openJournal } from '../../src/instance/journal.ts';

/** A link that is always up, and a disk that may be full for large values. */
function openDesk() {
  const appended: string[] = [];
  const asked: string[] = [];
  const said: string[] = [];
  const failures: unknown[] = [];
  let failure: Error | null = null;
  const journal = openJournal({
    pack: (event) => {
      if (failure !== null && event.type === 'step.completed') throw failure;
      return event;
    },
    link: {
      append: (events) => appended.push(...events.map(nameOf)),
      committed: async () => undefined,
      atMostUnacked: async () => undefined,
      permit: async (request) => {
        asked.push(request.path);
        return null;
      },
    },
    say: (line) => said.push(line),
    failed: (error) => failures.push(error),
  });
  return {
    journal,
    appended,
    asked,
    said,
    failures,
    fill: (code = 'ENOSPC') => {
      failure = Object.assign(new Error(code), { code });
    },
    free: () => {
      failure = null;
    },
  };
}

const nameOf = (event: RunEvent): string => ('path' in event ? `${event.type} ${event.path}` : event.type);
const started = (path: string): RunEvent => ({ type: 'step.started', path, stepType: 'skill', attempt: 1 });
const completed = (path: string): RunEvent => ({
  type: 'step.completed',
  path,
  attempt: 1,
  result: null,
  writes: {},
});
const ended: RunEvent = { type: 'run.ended', status: 'stopped', reason: 'x', error: null };
const request = {
  kind: 'spawn',
  path: 'b',
  attempt: 1,
  subject: 's',
  tier: 'skill',
  agentName: null,
} as const;
const never = new AbortController().signal;

/** Lets everything happen that needs no time. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const passTime = async (ms: number): Promise<void> => {
  mock.timers.tick(ms);
  await settle();
};

beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
afterEach(() => mock.timers.reset());

test('events go on at once, in order', () => {
  const { journal, appended } = openDesk();
  journal.append([started('a'), completed('a'), started('b')]);
  assert.deepEqual(appended, ['step.started a', 'step.completed a', 'step.started b']);
});

test('an event whose value finds no room waits, and so do those after it, the commit and the permit', async () => {
  const desk = openDesk();
  const { journal, appended, asked } = desk;
  desk.fill();
  journal.append([started('a'), completed('a'), started('b')]);
  journal.append([completed('c')]);
  let isCommitted = false;
  void journal.committed().then(() => {
    isCommitted = true;
  });
  void journal.permit(request, never);
  await passTime(5000);
  assert.deepEqual(
    [appended, asked, isCommitted, desk.said],
    [
      ['step.started a'],
      [],
      false,
      ['the result of step a finds no room on the disk, trying again every 0.5 s\n'],
    ],
  );
  desk.free();
  await passTime(500);
  assert.deepEqual(
    [appended, asked, isCommitted],
    [['step.started a', 'step.completed a', 'step.started b', 'step.completed c'], ['b'], true],
  );
  assert.equal(journal.giveUp(), null);
});

test('a stop tries once more, and keeps what finds its room', async () => {
  const desk = openDesk();
  desk.fill();
  desk.journal.append([completed('a'), started('b')]);
  desk.free();
  assert.equal(desk.journal.giveUp(), null);
  assert.deepEqual(desk.appended, ['step.completed a', 'step.started b']);
  await passTime(500);
  assert.deepEqual(desk.appended, ['step.completed a', 'step.started b']);
});

test('a stop gives up what finds no room with all that follows from it, and only the end is written', async () => {
  const desk = openDesk();
  desk.fill();
  desk.journal.append([started('a'), completed('a'), started('b')]);
  const permit = desk.journal.permit(request, never);
  assert.equal(desk.journal.giveUp(), 'the result of step a');
  assert.equal(desk.journal.giveUp(), 'the result of step a');
  desk.free();
  desk.journal.append([completed('b'), ended]);
  await passTime(500);
  assert.equal(await permit, null);
  await desk.journal.committed();
  assert.deepEqual([desk.appended, desk.asked], [['step.started a', 'run.ended'], []]);
});

test('any other failure is told once', async () => {
  const desk = openDesk();
  desk.fill();
  desk.journal.append([completed('a')]);
  desk.fill('EIO');
  await passTime(500);
  assert.deepEqual(desk.failures.map(String), ['Error: EIO']);
  desk.free();
  assert.throws(
    () => {
      const other = openDesk();
      other.fill('EIO');
      other.journal.append([completed('a')]);
    },
    { message: 'EIO' },
  );
});
