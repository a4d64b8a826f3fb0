import type { JsonObject } from '../../definition/workflow.ts';
import { ask, type Flow } from '../question.ts';
import { readMebibytes, readNumber, readSeconds } from '../units.ts';

/** A figure that may be set: its key in the file, and how it is asked for. */
export interface Figure {
  readonly key: string;
  readonly text: string;
  readonly unit: 'seconds' | 'mebibytes' | 'percent' | 'number';
}

const UNITS: Readonly<Record<Figure['unit'], { read: (text: string) => number | null; example: string }>> = {
  seconds: { read: readSeconds, example: 'such as 90, 5 min or 2 h' },
  mebibytes: { read: readMebibytes, example: 'such as 512 MB or 2 GB' },
  percent: {
    read: (text) => readNumber(text.replace(/%\s*$/, '')),
    example: 'such as 50 or 200 (two cores)',
  },
  number: { read: readNumber, example: 'such as 10' },
};

/**
 * Asks for each figure; one that is left empty stays away, and the usual one holds. `fault` says what is wrong with
 * all figures so far, as the file would have them.
 */
export function* askFigures(
  id: string,
  figures: readonly Figure[],
  current: JsonObject,
  fault: (figures: JsonObject) => Promise<string | null>,
): Flow<JsonObject> {
  let given: JsonObject = { ...current };
  for (const figure of figures) {
    const { read, example } = UNITS[figure.unit];
    const { [figure.key]: before, ...others } = given;
    const standard = typeof before === 'number' ? String(before) : '';
    const reply = yield* ask(`${id}/${figure.key}`, figure.text, {
      standard,
      check: (text) => {
        if (isEmpty(text)) return null;
        const value = read(text);
        return value === null
          ? `That is no figure here; write it ${example}.`
          : fault({ ...others, [figure.key]: value });
      },
    });
    const value = isEmpty(reply) ? null : read(reply);
    given = value === null ? others : { ...others, [figure.key]: value };
  }
  return given;
}

/** `-` takes away what is there: an empty line keeps it. */
function isEmpty(reply: string): boolean {
  return reply.trim() === '' || reply.trim() === '-';
}
