import { systemCode } from '../../errors/workflow-error.ts';
import { fileName, listLatches } from '../../guard/kill/latch-files.ts';
import type { LatchDocument } from '../../protocol/guard-documents.ts';
import type { Home } from '../../protocol/home.ts';
import { ago, printable } from '../text/style.ts';
import { rearmCommand } from './rearm-command.ts';

export interface KillStatus {
  readonly latches: readonly (LatchDocument | UnreadableLatch)[];
  /** Instances with processes that a tripped switch covers; null when nobody looked. */
  readonly running:
    | readonly { readonly id: string; readonly scope: string; readonly processes: number }[]
    | null;
}

/** A file that trips the scope whose hash it is named by, and says no more. */
interface UnreadableLatch {
  readonly scope: null;
  readonly hash: string;
}

/** The files say it; a supervisor writes one for each switch that only its database knows. */
export async function killStatus(home: Home, isVerified: boolean): Promise<KillStatus> {
  const files = filesOf(home);
  const latches = files.map(({ name, latch }) => {
    if (latch === null) return { scope: null, hash: name };
    const { at, ...rest } = latch;
    return { ...rest, tripped_at: new Date(at).toISOString() };
  });
  if (!isVerified) return { latches, running: null };
  const { stillRunning } = await import('./kill-directly.ts');
  const scopes = files.flatMap(({ latch }) => (latch === null ? [] : [latch.scope]));
  return { latches, running: await stillRunning(home, scopes) };
}

export function killStatusText({ latches, running }: KillStatus, now = Date.now()): string {
  const lines =
    latches.length === 0
      ? ['No kill switch is tripped.']
      : latches.map((latch) =>
          latch.scope === null
            ? unreadableText(latch)
            : `${latch.scope} (${latch.mode}) since ${latch.tripped_at} (${ago(latch.tripped_at, now)}), by ${latch.by}: ${printable(latch.reason)}`,
        );
  const [only, ...more] = latches;
  if (only !== undefined) {
    const scope = more.length === 0 ? scopeOf(only) : null;
    lines.push(`A person re-arms one: ${rearmCommand(scope ?? 'SCOPE')}`);
  }
  if (running === null) return lines.join('\n');
  const left = running.map(
    ({ id, scope, processes }) => `  ${id} runs under ${scope}: ${processes} processes`,
  );
  return [...lines, left.length === 0 ? 'Nothing that they cover runs.' : 'Still running:', ...left].join(
    '\n',
  );
}

function filesOf(home: Home): ReturnType<typeof listLatches> {
  try {
    return listLatches(home.killFolder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** A file that somebody made with `touch` has nothing but its name; that of everything can be known. */
function scopeOf(latch: LatchDocument | UnreadableLatch): string | null {
  return latch.scope ?? (latch.hash === fileName('global') ? 'global' : null);
}

function unreadableText(latch: UnreadableLatch): string {
  const scope = scopeOf(latch);
  if (scope !== null) return `${scope} is tripped (its file says no more)`;
  return `(unreadable: ${latch.hash.slice(0, 12)}…) is tripped`;
}
