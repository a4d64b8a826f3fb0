import type { DrillEvidence } from '../../protocol/guard-documents.ts';
import { type Screen, screenOf } from '../text/screen.ts';
import { printable } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';

/** A drill for people: what was proven line by line, and where the evidence is. */
export function drillText(
  { held, id, processes, ms_until_empty: ms, checks }: DrillEvidence,
  { style, width }: Screen = screenOf(process.stdout),
): string {
  const longest = Math.max(...checks.map(({ name }) => name.length));
  const took = ms === null ? 'not tripped' : `${processes} processes gone in ${ms} ms`;
  const isArmed = checks.some((each) => each.name === 're-armed' && each.held);
  return [
    `${held ? 'The kill switch held' : style.red('THE KILL SWITCH DID NOT HOLD')}: canary ${id}, ${took}`,
    ...checks.flatMap((each) =>
      wrapped(
        `${each.held ? style.green('✓') : style.red('✗')}  ${each.name.padEnd(longest)}  `,
        printable(each.detail),
        width,
      ),
    ),
    `The evidence is in the audit (kill.drilled)${isArmed ? '; the switch is armed again.' : '. Re-arm the switch:'}`,
    ...(isArmed ? [] : [`  q workflow rearm instance:${id} --reason drill`]),
  ].join('\n');
}
