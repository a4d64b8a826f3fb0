import { EXIT } from '../errors/table.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { scopesOver } from '../guard/kill/kill-scope.ts';
import { firstTripped } from '../guard/kill/latch-files.ts';
import type { Caller } from '../protocol/caller.ts';
import { locateHome } from '../protocol/home.ts';
import { printable } from './text/style.ts';

/** What Q and Kiro take for "do not run it"; any other status that is not 0 lets the tool run. */
export const BLOCKED = EXIT.USAGE;
/** Room for a large file that is written whole; the JSON reader takes 5 MB. */
const MAX_EVENT_BYTES = 4 * 1024 * 1024;

export interface HookOptions {
  readonly caller: Caller;
  readonly agent: string | null;
  readonly environment: string | null;
  readonly timeoutMs: number;
}

/** The answer to a hook event, as `hook --json` prints it. */
export interface HookAnswer {
  readonly decision: 'allow' | 'ask' | 'deny';
  readonly tool: string;
  readonly reason: string;
  readonly rules: readonly string[];
  /** The kill switch that is tripped for it. */
  readonly kill_switch: string | null;
}

/**
 * Decides about the tool call on standard input as `policy explain` does, after the kill switches. Needs no supervisor.
 * Throws for what is no such event; the process ends by itself when the time is over.
 */
export async function decideHook({
  caller,
  agent,
  environment,
  timeoutMs,
}: HookOptions): Promise<HookAnswer> {
  const watchdog = setTimeout(() => giveUp(timeoutMs), timeoutMs);
  try {
    // Both are needed in any case, and the event may take its time.
    const [text, guard] = await Promise.all([readEvent(), import('../guard/policy/api.ts')]);
    const { tool, args, cwd } = guard.parseHookEvent(text);
    const scopes = guard
      .toolNames(tool)
      .flatMap((name) => scopesOver({ workflow: '', instance: '', agent, tool: name, path: null }));
    const tripped = firstTripped(locateHome().killFolder, scopes);
    if (tripped !== null)
      return {
        decision: 'deny',
        tool,
        reason: `the kill switch ${tripped} is tripped, or nobody can see that it is not`,
        rules: [],
        kill_switch: tripped,
      };
    const { set } = await guard.loadPolicySet(caller);
    const call = { tool, args, cwd, kind: 'tool', workflow: null, agent, step: null, environment } as const;
    const place = { workspace: caller.workspace, home: caller.userHome, environment };
    const { decision, reason, rules } = guard.explain(set, call, place);
    return { decision, tool, reason, rules, kill_switch: null };
  } finally {
    clearTimeout(watchdog);
  }
}

/** A reason may quote a whole command; Q takes 10 KiB of stderr. */
const MAX_REASON = 2000;

/** What the agent is told on stderr; null when the tool may run. It goes to a model: it says what not to try. */
export function hookText({ decision, tool, reason, rules, kill_switch }: HookAnswer): string | null {
  if (decision === 'allow') return null;
  const by = rules.length === 0 ? '' : ` [${rules.join(', ')}]`;
  const what = decision === 'ask' ? 'wants a person to decide about' : 'denies';
  const who = kill_switch === null ? `the policy ${what}` : 'a kill switch holds';
  const next =
    decision === 'ask'
      ? 'It was not run. Tell the person what you wanted to do and why; they can do it, or allow it in a policy.'
      : 'It was not run. Do not try the same in another way; tell the person.';
  const why = reason.length <= MAX_REASON ? reason : `${reason.slice(0, MAX_REASON)} …`;
  return printable(`q workflow: ${who} ${tool.slice(0, MAX_REASON)}: ${why}${by}. ${next}`);
}

async function readEvent(): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // Read to its end also when it is too large: who still writes would take a closed pipe for our failure.
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= MAX_EVENT_BYTES) chunks.push(chunk);
  }
  if (bytes > MAX_EVENT_BYTES)
    throw new WorkflowError(
      'USAGE',
      `the hook event has ${bytes} bytes, and what is larger than ${MAX_EVENT_BYTES} is not judged`,
      { hint: 'Write large files in parts.' },
    );
  return Buffer.concat(chunks).toString('utf8');
}

function giveUp(timeoutMs: number): never {
  process.stderr.write(`q workflow: no decision in ${timeoutMs / 1000} s, so the tool is not run.\n`);
  process.exit(BLOCKED);
}
