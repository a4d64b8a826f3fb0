/** A connection to the supervisor of a bench, to ask several things at the same moment. */
import { type Client, connect } from '../../src/client/client.ts';
import type { Caller } from '../../src/protocol/caller.ts';
import { locateHome } from '../../src/protocol/home.ts';
import type { Bench } from './bench-home.ts';

export function connectTo(bench: Bench): Promise<Client> {
  return connect(locateHome({ Q_WORKFLOW_HOME: bench.home }), 'must_run');
}

export function callerOf(bench: Bench): Caller {
  return { workspace: bench.workspace, userHome: bench.home, configHome: bench.home, person: 'tester' };
}
