import type { Client } from '../../client/client.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { ApprovalDocument } from '../../protocol/approval-control.ts';
import type { Caller } from '../../protocol/caller.ts';
import { ask } from '../ask.ts';
import type { RunView } from '../live/run-view.ts';
import { screenOf } from '../text/screen.ts';
import { approvalText, decideLines, pendingApprovals } from './approvals.ts';

interface PromptOptions {
  readonly view: RunView | null;
  /** False where nobody sits: then what waits is only told. */
  readonly canAsk: boolean;
  readonly caller: Caller;
  /** Ctrl-C at the question. */
  readonly interrupted: () => void;
  /** Aborts when the run has ended: a question is taken back. */
  readonly over: AbortSignal;
}

/** Tells, or asks, each thing that a followed run waits for, once. */
export interface ApprovalWatch {
  /** Something new may wait. */
  look(): void;
}

/** `current` answers the connection as of now: supervisors may change meanwhile. */
export function watchApprovals(current: () => Client, id: string, options: PromptOptions): ApprovalWatch {
  const { view, over } = options;
  const told = new Set<number>();
  let last: Promise<void> = Promise.resolve();

  const lookNow = async (): Promise<void> => {
    if (view === null || over.aborted) return;
    for (const approval of await pendingApprovals(current(), id)) {
      if (told.has(approval.number) || over.aborted) continue;
      told.add(approval.number);
      view.pause();
      const screen = screenOf(process.stderr);
      const text = approvalText(approval, screen);
      const lines = options.canAsk ? [text] : [text, ...decideLines(approval, screen.width)];
      process.stderr.write(`${lines.join('\n')}\n`);
      if (options.canAsk) await question(approval);
      view.resume();
    }
  };

  const question = async (approval: ApprovalDocument): Promise<void> => {
    const status = await decided();
    if (status === 'later') return;
    const client = current();
    try {
      const which = String(approval.number);
      await client.call('approval.decide', { id, which, status, reason: null, caller: options.caller });
    } catch (error) {
      // Somebody else was faster, or may decide it and this person may not.
      process.stderr.write(`${ensureError(error).message}\n`);
      // Nobody heard it: the next supervisor is asked for what waits, and so is the person.
      if (client.isClosed()) told.delete(approval.number);
    }
  };

  const decided = async (): Promise<Decision> => {
    for (;;) {
      const answer = await ask('Approve it? [y]es, [n]o, [L]ater ', over);
      if (answer === 'interrupt') options.interrupted();
      if (typeof answer === 'string') return 'later';
      const decision = decisionOf(answer.text);
      if (decision !== null) return decision;
      process.stderr.write('That is none of y, n and l.\n');
    }
  };

  return {
    look: () => {
      // One after the other: a person answers one question at a time.
      last = last.then(lookNow).catch((error: unknown) => {
        if (!over.aborted) process.stderr.write(`${ensureError(error).message}\n`);
      });
    },
  };
}

type Decision = 'approved' | 'denied' | 'later';

/** What somebody answered; nothing (Enter, Ctrl-D) is later. Null for what is no answer. */
export function decisionOf(answer: string): Decision | null {
  const text = answer.trim().toLowerCase();
  if (/^y(es)?$/.test(text)) return 'approved';
  if (/^no?$/.test(text)) return 'denied';
  return /^(l(ater)?)?$/.test(text) ? 'later' : null;
}
