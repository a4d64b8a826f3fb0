/** A supervisor's surroundings of which each part does what a test says. */
import { tmpdir } from 'node:os';
import type { Breach, Isolation, Scope } from '../../sandbox/isolation.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { locateHome } from '../../src/protocol/home.ts';
import type { OperationName } from '../../src/store/operations.ts';
import type { Store } from '../../src/store/store.ts';
import type { InstanceRow } from '../../src/store/tables/instance-rows.ts';
import type { SupervisorContext } from '../../src/supervisor/context.ts';
import type { KillSwitch } from '../../src/supervisor/guard/kill-switch.ts';

type Answers = Partial<Record<OperationName, (args: never) => unknown>>;

export interface FakeContext {
  readonly context: SupervisorContext;
  /** Messages of the log, each with its level. */
  readonly said: string[];
  readonly scope: FakeScope;
}

interface FakeScope extends Scope {
  breach(breach: Breach): void;
}

/** Operations that `answers` does not name fail the test. */
export function fakeContext(answers: Answers, parts: Partial<Scope> = {}): FakeContext {
  const said: string[] = [];
  const scope = fakeScope(parts);
  const call: Store['call'] = async (name, args) => {
    const answer = answers[name];
    if (answer === undefined) throw new WorkflowError('INTERNAL', `nobody expected ${name}`);
    // Each test answers with what the operation promises.
    return answer(args as never) as never;
  };
  const store: Store = {
    call,
    readEach: (name, many) => many.map((args) => call(name, args)),
    auditSeq: 0,
    giveBack: () => undefined,
    onAppended: () => () => undefined,
    pending: 0,
    close: async () => undefined,
  };
  const isolation: Isolation = {
    report: { backend: 'polling', enforced: [], observed: [], missing: [] },
    openScope: () => scope,
    reopenScope: () => scope,
    listScopes: () => [],
    close: () => undefined,
  };
  const log = (level: string) => (message: string) => void said.push(`${level} ${message}`);
  const context: SupervisorContext = {
    home: locateHome({ Q_WORKFLOW_HOME: `${tmpdir()}/qw-fake` }),
    store,
    isolation,
    sandboxes: {
      offer: () => Promise.reject(new Error('no sandbox is offered')),
      lookAhead: () => undefined,
    },
    killSwitch: armed,
    maskKey: '00',
    log: { info: log('info'), warn: log('warn'), error: log('error'), close: async () => undefined },
    version: '0',
    startedAt: 0,
    now: () => 1,
  };
  return { context, said, scope };
}

/** Nothing is tripped. */
const armed: KillSwitch = {
  epoch: 0,
  heldBy: () => null,
  assertArmed: () => undefined,
  latch: () => ({ isNew: true, recorded: Promise.resolve() }),
  rearm: () => Promise.resolve(),
  list: () => [],
  onFile: () => undefined,
  close: () => undefined,
};

/** A scope with one process that does not end. */
function fakeScope(parts: Partial<Scope>): FakeScope {
  let listener: (breach: Breach) => void = () => undefined;
  return {
    record: { backend: 'polling', name: 'i', folders: {}, marker: 'i' },
    openChild: () => fakeScope(parts),
    plan: (command) => command,
    attach: () => undefined,
    usage: () => ({
      memoryBytes: 0,
      memoryPeakBytes: 0,
      cpuSeconds: 0,
      cpuThrottledSeconds: 0,
      processes: 1,
      processesPeak: 1,
      oomKills: 0,
      forksRefused: 0,
    }),
    io: () => null,
    ownOomKills: () => 0,
    pids: () => [1],
    whenEmpty: () => new Promise(() => undefined),
    kill: async () => ({ found: [], foundCount: 0, killedCount: 0, survivors: [], durationMs: 0 }),
    freeze: async () => undefined,
    thaw: async () => undefined,
    remove: async () => undefined,
    onBreach: (given) => {
      listener = given;
      return () => undefined;
    },
    close: () => undefined,
    breach: (breach) => listener(breach),
    ...parts,
  };
}

/** An instance that runs, by its database row. */
export function runningRow(id: string): InstanceRow {
  return {
    id,
    workflow: 'w',
    version: '1.0.0',
    definitionHash: 'd',
    pinsHash: 'p',
    source: '/w.json',
    workspace: '/',
    status: 'running',
    reason: null,
    error: null,
    inputs: {},
    context: { readonly: {}, mutable: {} },
    env: {},
    limits: { memoryBytes: 1, cpuPercent: 1, processes: 1, executionMs: 3_600_000, concurrentSteps: 1 },
    createdAt: 0,
    startedAt: 0,
    endedAt: null,
    incarnation: 1,
    tokenHash: 't',
    process: null,
    scope: { backend: 'polling', name: id, folders: {}, marker: id },
    isolation: null,
    usage: null,
    activeMs: 0,
    activeSince: null,
    fruitless: 0,
    pausedAt: null,
    pausedBy: null,
    wakeAt: null,
    lastSeq: 0,
    resumeFrom: null,
    notice: null,
    approvals: 'named',
  };
}
