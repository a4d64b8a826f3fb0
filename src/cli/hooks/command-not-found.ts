import type { Hook } from '@oclif/core';
import { EXIT } from '../../errors/table.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { showError } from '../base-command.ts';
import { passOn } from '../plugin/pass-on.ts';
import { explainUnknown } from '../unknown-command.ts';

/**
 * As a plugin of a host: what is no command of ours and the host is called q goes on to the next q of the PATH. Under
 * another name, or without another q, it is answered with what was probably meant. Hooks of oclif may return only where
 * the command was taken care of, so this one never does.
 */
export const commandNotFound: Hook.CommandNotFound = async ({ id, argv = [], config }) => {
  const words = [...id.split(':'), ...argv];
  const isOurs = words[0] === 'workflow';
  if (!isOurs && config.bin === 'q') {
    const status = await passOn(words, [process.argv[1] ?? '']);
    if (status !== null) process.exit(status);
  }
  const { message, hint } = explainUnknown(
    words,
    config.commandIDs.map((each) => each.replaceAll(':', ' ')),
  );
  showError(new WorkflowError('USAGE', message, { hint }), isOurs && argv.includes('--json'));
  process.exit(EXIT.USAGE);
};
