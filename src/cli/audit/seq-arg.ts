import { Args } from '@oclif/core';
import { WorkflowError } from '../../errors/workflow-error.ts';

/** The number of a record, as an argument. oclif's own integer throws what looks like a bug of ours. */
export const seqArg = Args.custom<number>({
  description: 'number of the record',
  parse: async (text) => {
    const seq = /^\d+$/.test(text) ? Number(text) : 0;
    if (seq >= 1 && Number.isSafeInteger(seq)) return seq;
    throw new WorkflowError('USAGE', `SEQ is the number of a record, and "${text}" is none`, {
      hint: 'q workflow audit list shows the numbers of the records.',
    });
  },
});
