import type { DrillEvidence } from '../../protocol/guard-documents.ts';
import { printable, styleFor } from '../text/style.ts';
import { table, widthOf } from '../text/table.ts';

/** A drill for people: what was proven line by line, and where the evidence is. */
export function drillText({ held, id, processes, ms_until_empty: ms, checks }: DrillEvidence): string {
  const style = styleFor(process.stdout);
  const rows = checks.map((each) => [
    each.held ? style.green('✓') : style.red('✗'),
    each.name,
    printable(each.detail),
  ]);
  const took = ms === null ? 'not tripped' : `${processes} processes gone in ${ms} ms`;
  return [
    `${held ? 'The kill switch held' : 'THE KILL SWITCH DID NOT HOLD'}: canary ${id}, ${took}`,
    table(['', '', ''], rows, widthOf(process.stdout)).replace(/^\n/, ''),
    'The evidence is in the audit (kill.drilled); the switch is armed again.',
  ].join('\n');
}
