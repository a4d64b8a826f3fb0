import { join } from 'node:path';
import { printable } from '../../cli/text/style.ts';
import { type Answers, NO_ANSWERS } from '../answers/answers.ts';
import { answersOf } from '../definition.ts';
import { nameFault, slug } from '../names.ts';
import { topPlace } from '../place.ts';
import { ask, choose, confirm, type Flow, work } from '../question.ts';
import type { Desk } from '../spot.ts';
import type { Drafted, World } from '../world.ts';
import { askReview, withNewSkills } from './review-flow.ts';
import { askSchedule } from './schedule-flow.ts';
import { askLimits, askValues } from './settings-flow.ts';
import { askSteps } from './step-flow.ts';

/** What came out of a conversation, and what shall become of it. */
export interface Finished {
  readonly answers: Answers;
  readonly file: string;
  readonly isRegistered: boolean;
  readonly isRun: boolean;
}

export interface CreateOptions {
  /** Given with the command: not asked again. */
  readonly purpose: string | null;
  readonly wantsDraft: boolean;
  readonly file: string | null;
}

/** The questions of `create`. Null: the person threw it away. */
export function* createFlow(world: World, options: CreateOptions): Flow<Finished | null> {
  const purpose =
    options.purpose ??
    (yield* ask('purpose', 'What should the workflow do?', {
      check: (reply) =>
        reply.trim() === '' ? 'A sentence is enough: it finds the skills and agents that fit.' : null,
    }));
  const name = yield* ask('name', 'Name', {
    standard: slug(purpose, 'workflow'),
    check: (reply) => nameFault(reply.trim()),
  });
  const desk: Desk = { world, purpose, newSkills: new Map() };
  const about: Answers = { ...NO_ANSWERS, name, purpose };
  const drafted = yield* askDraft(world, about, options.wantsDraft);
  const asked = drafted ?? (yield* askAll(desk, about));
  const reviewed = yield* askReview(desk, withNewSkills(desk, asked), 'name');
  return reviewed === null ? null : yield* askSave(world, reviewed, options.file);
}

function* askAll(desk: Desk, about: Answers): Flow<Answers> {
  const valued = yield* askValues('values', about);
  const steps = yield* askSteps(desk, topPlace(valued), '', 'one');
  const limited = yield* askLimits('limits', { ...valued, steps });
  return { ...limited, triggers: yield* askSchedule('schedule', limited, desk.world) };
}

/** A draft by the model; null when it is not wanted, or came to nothing. */
function* askDraft(world: World, about: Answers, isWanted: boolean): Flow<Answers | null> {
  if (world.model === null && !isWanted) return null;
  const how = isWanted
    ? 'draft'
    : yield* choose('how', 'How shall we begin?', [
        { value: 'questions', name: 'with questions' },
        {
          value: 'draft',
          name: `with a draft by the model ${world.model}`,
          description: 'One request; you look at it before anything is saved.',
        },
      ]);
  if (how === 'questions') return null;
  const reply = yield* work('draft', 'The model is drafting …', () => world.draft(about.purpose, about.name));
  const drafted = JSON.parse(reply) as Drafted;
  if (drafted.definition !== null) return { ...answersOf(drafted.definition), name: about.name };
  yield* choose('no-draft', 'So it goes on with questions.', [{ value: 'on', name: 'go on' }], {
    note: () => printable(`There is no draft: ${drafted.why}`),
  });
  return null;
}

function* askSave(world: World, answers: Answers, given: string | null): Flow<Finished> {
  const file = given ?? (yield* askFile(world, answers.name));
  const hasSchedule = answers.triggers.some(({ type }) => type === 'schedule');
  const isRegistered = yield* confirm(
    'register',
    hasSchedule
      ? 'Register it? Only a registered workflow runs by its schedule.'
      : 'Register it, so that it can be run from anywhere?',
    hasSchedule ? 'yes' : 'no',
  );
  const isRun = yield* confirm('run', 'Run it now?', 'no');
  return { answers, file, isRegistered, isRun };
}

function* askFile(world: World, name: string): Flow<string> {
  for (let round = 0; ; round += 1) {
    const id = `file/${round}`;
    const chosen = yield* choose(id, 'Where does it go?', [
      ...world.folders.map(({ label, folder }) => ({
        value: join(folder, `${name}.json`),
        name: `${label}: ${join(folder, `${name}.json`)}`,
      })),
      { value: '', name: 'into another file' },
    ]);
    const typed =
      chosen === ''
        ? yield* ask(`${id}/path`, 'Path of the file', { standard: `${name}.json`, check: pathFault })
        : chosen;
    const file = world.absolute(typed);
    if (!world.exists(file)) return file;
    if (yield* confirm(`${id}/replace`, `${file} is there already. Replace it?`, 'no')) return file;
  }
}

function pathFault(path: string): string | null {
  return path.trim().endsWith('.json') ? null : 'It takes a path that ends in .json.';
}

/** The questions about answers that came from a file: the review. Null: they are thrown away. */
export function* reviewFlow(world: World, given: Answers): Flow<Answers | null> {
  const newSkills = new Map(Object.entries(given.new_skills));
  return yield* askReview({ world, purpose: given.purpose, newSkills }, given, 'name');
}

/** The questions of `edit`: the review of what is there. Null: nothing is to be changed. */
export function* editFlow(world: World, given: Answers): Flow<Answers | null> {
  const desk: Desk = { world, purpose: given.purpose, newSkills: new Map() };
  return yield* askReview(desk, given, 'fixed');
}
