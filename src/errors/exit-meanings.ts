import type { EXIT } from './table.ts';

/** What each exit status tells the caller of a command. */
export const EXIT_MEANINGS: Readonly<Record<keyof typeof EXIT, string>> = {
  COMPLETED: 'the command did what it should; a run completed',
  FAILED: 'the workflow failed',
  USAGE: 'the command line is wrong',
  INVALID: 'a definition, skill or policy is not valid',
  NOT_FOUND: 'no such workflow, instance or step',
  UNREACHABLE: 'the supervisor or its state folder cannot be reached, or the output not written',
  REFUSED: 'refused by policy, a person, kill switch or missing isolation',
  STOPPED: 'the run was stopped or killed',
  LIMIT: 'a limit of the run was hit',
  BUG: 'a fault of ours',
};
