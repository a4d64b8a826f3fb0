import type { Word } from 'unbash';
import type { Collector, Frame } from './collector.ts';
import { variablesIn } from './known.ts';

/** Of the environment people like to see these. */
const SHOWN = /^(?:PWD|OLDPWD|HOME|PATH|USER|SHELL|[\d?#$!]+)$/;

/** Whether all variables of a word are of the text itself: one of the environment may hold what nobody is to see. */
export function isOfText(word: Word, collector: Collector, frame: Frame): boolean {
  return foreignIn(word, collector, frame).length === 0;
}

/** All are asked, so that each is noted. */
function foreignIn(word: Word, collector: Collector, frame: Frame): readonly string[] {
  return variablesIn(word).filter((name) => !isOwn(name, collector, frame));
}

/** What a variable is given may be one of the environment: then it counts as that, before and after. */
export function noteGiven(collector: Collector, frame: Frame, name: string, words: readonly Word[]): void {
  const foreign = words.flatMap((word) => foreignIn(word, collector, frame));
  // `n=$((n+1))`, `list="$list $f"`
  if (foreign.every((each) => each === name && /^[a-z]/.test(name))) return;
  if (collector.variables.lend(name)) collector.redirect(frame, { path: null, mode: 'read' });
}

function isOwn(name: string, { variables }: Collector, { surelySet }: Frame): boolean {
  if (SHOWN.test(name)) return true;
  return !variables.isLent(name) && (surelySet.has(name) || (/^[a-z]/.test(name) && variables.has(name)));
}
