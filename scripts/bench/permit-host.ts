/**
 * usage: node permit-host.ts FOLDER   The other side of the measure of permits: a store, an intake and a socket.
 * On `permit` it decides as a supervisor does; on `floor` it commits one audit record, and nothing else.
 */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { hashJson } from '../../src/audit/canonical.ts';
import { SUPERVISOR } from '../../src/audit/record.ts';
import { loadWorkflow } from '../../src/definition/load.ts';
import { locateHome, prepareHome } from '../../src/protocol/home.ts';
import type { InstanceMessage } from '../../src/protocol/instance-link.ts';
import { openJsonLines } from '../../src/protocol/json-lines.ts';
import { openStore } from '../../src/store/store.ts';
import type { SupervisorContext } from '../../src/supervisor/context.ts';
import { packPins } from '../../src/supervisor/definitions/pins.ts';
import { openKillSpool } from '../../src/supervisor/guard/kill-spool.ts';
import { openKillSwitch } from '../../src/supervisor/guard/kill-switch.ts';
import { openIntake } from '../../src/supervisor/intake/journal-intake.ts';
import { readLive } from '../../src/supervisor/lifecycle/read-live.ts';

const [folder = ''] = process.argv.slice(2);
const home = locateHome({ Q_WORKFLOW_HOME: folder });
prepareHome(home);
const store = await openStore(home.database, 'bench');
const silent = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  close: async () => undefined,
};
const ground = { home, store, log: silent, now: Date.now };
const killSwitch = await openKillSwitch(ground, openKillSpool(ground));
// What an intake asks of a supervisor is all here.
const context = { ...ground, killSwitch } as unknown as SupervisorContext;

const steps = [{ id: 'a', type: 'agent', agent: 'helper', inputs: { task: 'x' } }];
const { workflow } = await loadWorkflow(JSON.stringify({ name: 'w', version: '1.0.0', steps }));
if (workflow === null) throw new Error('the workflow of the measure is wrong');
const pins = packPins({ workflow, skills: {}, agents: {}, models: {}, scripts: {}, tiers: {} });
const record = (type: string) => ({
  type,
  at: Date.now(),
  actor: SUPERVISOR,
  instance: 'bench00000',
  data: {},
});
const instance = {
  id: 'bench00000',
  workflow: 'w',
  version: '1.0.0',
  definitionHash: hashJson({}),
  pinsHash: pins.hash,
  source: '/w.json',
  workspace: folder,
  inputs: {},
  context: { readonly: {}, mutable: {} },
  env: { HOME: folder },
  limits: { memoryBytes: 1, cpuPercent: 1, processes: 1, executionMs: 1, concurrentSteps: 1 },
  notice: null,
  approvals: 'named',
} as const;
await store.call('instance.create', {
  instance,
  documents: { [instance.definitionHash]: '{}', [pins.hash]: pins.body },
  at: Date.now(),
  audit: record('instance.created'),
  fire: null,
});
const scope = { backend: 'polling', name: instance.id, folders: {}, marker: instance.id } as const;
await store.call('instance.launch', {
  id: instance.id,
  incarnation: 1,
  tokenHash: 't',
  scope,
  isolation: { backend: 'polling', enforced: [], observed: [], missing: [] },
  at: Date.now(),
  audit: record('instance.launched'),
});
const live = await readLive(store, instance.id);
live.incarnation = 1;

createServer((socket) => {
  const lines = openJsonLines(socket, {
    message: (raw) => {
      const message = raw as InstanceMessage | { readonly type: 'floor' };
      if (message.type === 'floor')
        void store
          .call('audit.append', { entries: [record('bench.floor')] })
          .then(() => lines.send({ type: 'floor' }));
      else if (message.type === 'events') intake.events(message.entries);
      else if (message.type === 'permit') intake.permit(message);
    },
    closed: () => void store.close().then(() => process.exit(0)),
  });
  live.link = lines;
  const intake = openIntake(context, live, {
    ended: () => undefined,
    rejected: (reason) => process.stderr.write(reason),
  });
}).listen(join(folder, 'permit.sock'), () => process.stdout.write('ready\n'));
