import type { UpkeepMethods } from '../protocol/upkeep-control.ts';
import type { Backups } from './backups.ts';
import type { ControlHandlers } from './control-server.ts';
import { personOf } from './run-workflow.ts';

/** The methods that keep the state folder in order. */
export function upkeepMethods(backups: Backups): Pick<ControlHandlers, keyof UpkeepMethods> {
  return {
    'supervisor.backup': ({ output, caller }) => backups.make(output, personOf(caller)),
  };
}
