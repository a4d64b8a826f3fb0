import { join } from 'node:path';
import { describe, test } from 'node:test';
import { createPicture, type Picture } from '../../../src/cli/live/picture.ts';
import { planOf } from '../../../src/cli/live/plan.ts';
import type { Screen } from '../../../src/cli/text/screen.ts';
import type { ControlNotification, StepDocument } from '../../../src/protocol/control.ts';
import { assertGolden, screenText } from '../../setup/golden.ts';
import * as data from './data.ts';

const ID = '4kz7q2m8x1';

/** What a watcher hears, in order. */
type Heard =
  | StepDocument
  | { readonly says: string; readonly path: string }
  | { readonly memoryMb: number; readonly cpu: number; readonly processes: number }
  | { readonly state: 'waiting' | 'queued' | 'paused'; readonly note: string | null };

function notificationOf(heard: Heard): ControlNotification {
  if ('status' in heard) return { method: 'instance.step', params: { id: ID, step: heard } };
  if ('says' in heard)
    return { method: 'instance.progress', params: { id: ID, path: heard.path, line: heard.says } };
  if ('state' in heard)
    return { method: 'instance.state', params: { id: ID, status: heard.state, note: heard.note } };
  return {
    method: 'instance.usage',
    params: {
      id: ID,
      memory_bytes: heard.memoryMb * 1024 * 1024,
      cpu_percent: heard.cpu,
      processes: heard.processes,
      io_read_bytes: 12 * 1024 * 1024,
      io_written_bytes: 3 * 1024 * 1024,
    },
  };
}

function pictureOf(heard: readonly Heard[], more: Parameters<typeof data.run>[0] = {}): Picture {
  const picture = createPicture();
  picture.begin(data.run(more), planOf(data.DEPLOY));
  for (const each of heard) picture.take(notificationOf(each));
  return picture;
}

/** A picture on a terminal of `rows` rows; 24 where nothing is said, and in a pipe as wide as it wants to be. */
function frame(
  name: string,
  heard: readonly Heard[],
  more: Parameters<typeof data.run>[0] = {},
  rows = 24,
): void {
  test(name, () => {
    const draw = ({ style, width, now }: Screen): string =>
      pictureOf(heard, more)
        .lines({ style, now, width: Math.min(width, 300), room: rows - 1 })
        .join('\n');
    assertGolden(join(import.meta.dirname, `live-${name}.txt`), screenText(draw));
  });
}

function lastFrame(name: string, heard: readonly Heard[], rows = 24): void {
  test(name, () => {
    const draw = ({ style, width, now }: Screen): string =>
      pictureOf(heard)
        .lastLines({ style, now, width: Math.min(width, 300), room: rows - 1 })
        .join('\n');
    assertGolden(join(import.meta.dirname, `live-${name}.txt`), screenText(draw));
  });
}

const { step } = data;
const BUILD_DONE = step('build', 'completed', 83, 40.6);
const CHECKS: readonly StepDocument[] = [
  step('checks', 'running', 40.5, null, { type: 'parallel' }),
  step('checks/unit', 'running', 40.4),
  step('checks/lint', 'completed', 40.4, 38),
];
const USAGE: readonly Heard[] = [
  { memoryMb: 40, cpu: 20, processes: 3 },
  { memoryMb: 180, cpu: 150, processes: 9 },
  { memoryMb: 311, cpu: 149, processes: 7 },
];

describe('the live view', () => {
  frame('queued', [{ state: 'queued', note: 'queued: 512 MB of memory (40 MB of 1024 MB free)' }], {
    status: 'queued',
    started_at: null,
  });
  frame('begins', [step('build', 'running', 3), { path: 'build', says: 'Step 4/9 : RUN npm ci' }], {
    started_at: data.before(3),
  });
  frame('bars', [
    step('build', 'running', 12),
    {
      path: 'build',
      says: '[ 45%] Building layer 7 of 16 with a very long name that does not fit into any terminal',
    },
    ...USAGE,
  ]);
  frame('side-by-side', [
    BUILD_DONE,
    ...CHECKS,
    { path: 'checks/unit', says: '✓ orders › total › adds what is in the basket (12 ms)' },
    ...USAGE,
  ]);
  frame('again', [
    BUILD_DONE,
    ...CHECKS.slice(0, 1),
    step('checks/unit', 'waiting', 40.4, null, { attempts: 1, error: data.UNIT_FAILED }),
    step('checks/audit', 'running', 12, null, { attempts: 2 }),
  ]);
  frame('loop', [
    ...data.DONE_STEPS.slice(0, 5),
    step('mend', 'running', 22, null, { type: 'loop' }),
    step('mend[0]/propose', 'completed', 22, 18, { type: 'agent' }),
    step('mend[0]/try', 'completed', 18, 14),
    step('mend[1]/propose', 'running', 14, null, { type: 'agent' }),
    { path: 'mend[1]/propose', says: '60 % reading test/orders/total.test.ts' },
    { memoryMb: 480, cpu: 12, processes: 60 },
  ]);
  frame('waiting', [...data.WAITING_STEPS, { state: 'waiting', note: null }]);
  frame('failed', [
    BUILD_DONE,
    ...data.FAILED_STEPS.slice(2),
    step('checks', 'failed', 40.5, 22.1, { type: 'parallel', error: data.UNIT_FAILED }),
  ]);
  const many: readonly Heard[] = [
    ...Array.from({ length: 60 }, (_, index) =>
      step(
        `file-${index}`,
        index === 17 ? 'failed' : index < 44 ? 'completed' : 'running',
        60,
        index < 44 ? 30 : null,
        {
          error: index === 17 ? data.UNIT_FAILED : null,
        },
      ),
    ),
    ...USAGE,
  ];
  frame('higher-than-the-screen', many);
  frame('on-ten-rows', many, {}, 10);
  frame('on-three-rows', many, {}, 3);
  lastFrame('left-completed', data.DONE_STEPS);
  lastFrame('left-failed', data.FAILED_STEPS);
  lastFrame('left-higher-than-the-screen', many, 12);
  lastFrame('left-rolled-back', [
    ...data.DONE_STEPS.slice(0, 1),
    ...data.FAILED_STEPS.slice(1),
    step('build!undo', 'completed', 20, 19),
    step('!rollback/tell', 'completed', 19, 18),
  ]);
});
