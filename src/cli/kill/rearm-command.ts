import { REARM_PHRASE } from '../../protocol/guard-documents.ts';

/** What a person types, whole: at night nobody looks for the phrase. */
export function rearmCommand(scope: string): string {
  return `q workflow rearm ${scope} --reason "…"${scope === 'global' ? ` --confirm "${REARM_PHRASE}"` : ''}`;
}
