/** What one picture of a run of 200 steps costs: state to lines, lines to the bytes that changed, and their write. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { createPainter } from '../../src/cli/live/painter.ts';
import { createPicture } from '../../src/cli/live/picture.ts';
import { COLOURED } from '../../src/cli/text/style.ts';
import type { StatusDocument, StepDocument } from '../../src/protocol/control.ts';
import { type Measure, p95 } from './measure.ts';

const STEPS = 200;
const ROUNDS = 200;
const WARM_UP = 20;
const COLUMNS = 200;
const BAR_MS = 16;
const BEGIN = Date.parse('2026-03-01T12:00:00Z');

export const redraw: Measure = {
  name: 'redraw',
  run: () => {
    const sink = openSync('/dev/null', 'w');
    try {
      return Promise.resolve([
        measured('redraw 200 steps, one changed', sink, (round) => [round % STEPS]),
        measured('redraw 200 steps, all changed', sink, () =>
          Array.from({ length: STEPS }, (_, index) => index),
        ),
      ]);
    } finally {
      closeSync(sink);
    }
  },
};

function measured(
  name: string,
  sink: number,
  changed: (round: number) => readonly number[],
): Awaited<ReturnType<Measure['run']>>[number] {
  const picture = createPicture();
  const painter = createPainter({
    write: (text) => void writeSync(sink, text),
    size: () => ({ columns: COLUMNS, rows: STEPS + 10 }),
    reflows: true,
  });
  picture.begin({ ...RUN, steps: Array.from({ length: STEPS }, (_, index) => stepOf(index, 1)) }, []);
  const times: number[] = [];
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    const startedAt = performance.now();
    for (const index of changed(round)) {
      const path = pathOf(index);
      picture.take({ method: 'instance.step', params: { id: RUN.id, step: stepOf(index, 2 + (round % 7)) } });
      picture.take({
        method: 'instance.progress',
        params: { id: RUN.id, path, line: `${round % 100} % of ${path}` },
      });
    }
    const now = BEGIN + (changed(round).length === 1 ? 0 : round * 100);
    painter.paint(picture.lines({ style: COLOURED, now, width: COLUMNS - 1, room: STEPS + 9 }));
    if (round >= WARM_UP) times.push(performance.now() - startedAt);
  }
  return {
    name,
    unit: 'ms',
    value: p95(times),
    floor: null,
    floorIs: '',
    bar: { of: 'value', atMost: BAR_MS },
    rounds: ROUNDS,
    note: 'p95, drawn and written to /dev/null; a terminal takes its own time',
  };
}

function pathOf(index: number): string {
  const group = Math.floor(index / 10);
  return index % 10 === 0 ? `group${group}` : `group${group}/step-number-${index}`;
}

function stepOf(index: number, attempts: number): StepDocument {
  const path = pathOf(index);
  return {
    path,
    id: path.replace(/^.*\//, ''),
    type: index % 10 === 0 ? 'parallel' : 'skill',
    status: 'running',
    attempts,
    started_at: new Date(BEGIN).toISOString(),
    ended_at: null,
    outputs: null,
    error: null,
    approvals: [],
  };
}

const RUN: StatusDocument = {
  id: '4kz7q2m8',
  workflow: 'many-steps',
  version: '1.0.0',
  definition: '0'.repeat(64),
  status: 'running',
  reason: null,
  paused: null,
  started_at: new Date(BEGIN).toISOString(),
  ended_at: null,
  created_at: new Date(BEGIN).toISOString(),
  workspace: '/ws',
  inputs: {},
  steps: [],
  context: {},
  isolation: null,
  limits: { max_memory_mb: 512, max_cpu_percent: 100, max_processes: 64, max_io_mb_per_s: null },
  usage: null,
  limits_hit: [],
  incarnations: 1,
  pid: 1,
  notice: null,
  error: null,
};
