import { didYouMean, nearest } from '../../errors/nearest.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { StepLogFile } from '../logs/log-files.ts';
import { LastItems, logFilter } from '../logs/log-filter.ts';
import type { LogItem } from '../logs/log-merge.ts';
import { LogReader } from '../logs/log-reader.ts';
import { parseMoment } from '../text/moment.ts';
import { printable } from '../text/style.ts';
import { textOf } from './check-arguments.ts';
import { ID_ARGUMENT } from './instance-tools.ts';
import type { Tool } from './tool.ts';

const MAX_LINES = 1000;
const USUAL_LINES = 100;
/** Of one line, and of all together: what a model is given has a bound, whatever a step wrote. */
const MAX_LINE_CHARACTERS = 2000;
const MAX_CHARACTERS = 32 * 1024;

interface LogLine {
  readonly time: string;
  readonly step: string;
  readonly attempt: number;
  readonly stream: 'stdout' | 'stderr' | null;
  readonly text: string;
}

export const instanceLogs: Tool = {
  name: 'instance_logs',
  title: 'Output of a run',
  description: 'Reads the last lines that the steps of a run wrote, merged by time.',
  effect: 'reads',
  arguments: {
    id: ID_ARGUMENT,
    step: { type: 'string', description: 'only this step (its path, or a folder of steps)' },
    stream: { type: 'string', enum: ['stdout', 'stderr'], description: 'only this stream' },
    grep: { type: 'string', maxLength: 500, description: 'only lines in which this RE2 expression is found' },
    since: { type: 'string', description: 'only what was written since: 90s, 10m, 2h, or a time' },
    tail: {
      type: 'integer',
      minimum: 1,
      maximum: MAX_LINES,
      default: USUAL_LINES,
      description: 'how many lines at most, the last ones',
    },
  },
  required: ['id'],
  result: {
    id: { type: 'string' },
    has_ended: { type: 'boolean', description: 'false: more may come' },
    lines: { type: 'array', items: { type: 'object' }, description: '{time, step, attempt, stream, text}' },
    is_cut: { type: 'boolean', description: 'there was more than fits here' },
  },
  call: async (given, { client }) => {
    const step = textOf(given, 'step');
    const stream = given['stream'] === 'stdout' || given['stream'] === 'stderr' ? given['stream'] : null;
    const grep = textOf(given, 'grep');
    const tail = Number(given['tail'] ?? USUAL_LINES);
    const since = textOf(given, 'since');
    const isShown = await logFilter({ stream, grep });
    const from = since === null ? 0 : parseMoment('since', since, Date.now());
    const { id, folder, hasEnded } = await client.call('instance.logs', { id: textOf(given, 'id') ?? '' });
    const reader = new LogReader(folder, from, { step, stream, grep, tail: tail + 1 });
    const last = new LastItems<readonly [StepLogFile, LogItem]>(tail + 1);
    try {
      for (const item of reader.read(() => true)) if (isShown(item[1])) last.add(item);
    } finally {
      reader.close();
    }
    if (step !== null && !reader.hasFound)
      throw new WorkflowError(
        'STEP_NOT_FOUND',
        `no step of ${id} at "${step}" has written a log${didYouMean(nearest(step, reader.paths()))}`,
        { hint: 'instance_status shows its steps.' },
      );
    const found = last.take();
    const lines = fitting(found.slice(-tail).map(([log, item]) => lineOf(log, item)));
    const isCut = lines.length < found.length;
    const shown = lines.map((line) => `${line.step} | ${line.text}`);
    const head = isCut ? ['(earlier lines are left out)'] : [];
    return {
      data: { id, has_ended: hasEnded, lines, is_cut: isCut },
      text: [...head, ...shown].join('\n') || 'No line.',
    };
  },
};

function lineOf({ path, attempt }: StepLogFile, item: LogItem): LogLine {
  const place = { time: new Date(item.at).toISOString(), step: printable(path), attempt };
  if (item.kind === 'gap') return { ...place, stream: null, text: `[${item.bytes} bytes are gone]` };
  const text = printable(item.text);
  return {
    ...place,
    stream: item.stream === 'e' ? 'stderr' : 'stdout',
    text: text.length <= MAX_LINE_CHARACTERS ? text : `${text.slice(0, MAX_LINE_CHARACTERS)} …`,
  };
}

/** The last ones of them that fit together. */
function fitting(lines: readonly LogLine[]): LogLine[] {
  let room = MAX_CHARACTERS;
  const first = lines.findLastIndex(({ text, step }) => {
    room -= text.length + step.length + 3;
    return room < 0;
  });
  return lines.slice(first + 1);
}
