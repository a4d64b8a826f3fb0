import type { WorkflowSummary } from '../../protocol/workflow-control.ts';
import type { Answer } from '../../store/operations.ts';
import type { Store } from '../../store/store.ts';
import { takeBreaths } from '../breaths.ts';
import { type LoadedSource, summarise } from './workflow-source.ts';

/**
 * Remembers what loading said of registered definitions, by their hashes: to check ten thousand again for each list
 * would take seconds.
 */
export interface CheckedDefinitions {
  /** One that was loaded for another reason. */
  note(loaded: LoadedSource): void;
  /** All registered workflows, by name. What is not known yet is loaded now. */
  list(): Promise<WorkflowSummary[]>;
}

type Row = Answer<'registration.list'>[number];
type Check = Omit<WorkflowSummary, 'source' | 'file'>;

/** Some kilobytes each with many problems, mostly 200 bytes. */
const MAX_KNOWN = 20_000;
/** Definitions read at once: their texts may be large. */
const BATCH = 100;

export function createCheckedDefinitions(store: Store): CheckedDefinitions {
  const known = new Map<string, Check>();

  const remember = (hash: string, check: Check): Check => {
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(hash, check);
    return check;
  };

  const check = async (row: Row, text: string | null): Promise<Check> => {
    const {
      source: _,
      file: __,
      ...said
    } = await summarise({ kind: 'registered', file: row.source, text }, row.name);
    // Without its text it is looked for in a file, which may change.
    return text === null ? said : remember(row.definitionHash, said);
  };

  return {
    note: ({ workflow: { name, version, description }, problems, hash }) =>
      void remember(hash, { name, version, description, is_valid: true, problems }),
    list: async () => {
      const rows = await store.call('registration.list', {});
      const found = new Map(rows.map((row) => [row.name, known.get(row.definitionHash)]));
      const unknown = rows.filter((row) => found.get(row.name) === undefined);
      const breath = takeBreaths();
      for (let begin = 0; begin < unknown.length; begin += BATCH) {
        const batch = unknown.slice(begin, begin + BATCH);
        const texts = await Promise.all(
          batch.map(({ definitionHash: hash }) => store.call('document.get', { hash })),
        );
        for (const [index, row] of batch.entries()) {
          found.set(row.name, await check(row, texts[index] ?? null));
          await breath();
        }
      }
      return rows.flatMap((row) => {
        const said = found.get(row.name);
        return said === undefined ? [] : [{ ...said, source: 'registered' as const, file: row.source }];
      });
    },
  };
}
