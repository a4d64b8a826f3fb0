/** Random workflows and a driver that completes attempts in random order, for the properties of the engine. */
import fc from 'fast-check';
import type { ErrorPolicy, Step, Workflow } from '../../src/definition/workflow.ts';
import type { Command } from '../../src/engine/contract.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import {
  type Bench,
  conditional,
  custom,
  fault,
  HALT,
  loop,
  parallel,
  ROLLBACK,
  ref,
  retry,
  SKIP,
  skill,
  workflow,
} from './support.ts';

interface Shape {
  readonly kind: 'leaf' | 'async' | 'all' | 'any' | 'none' | 'conditional' | 'loop';
  readonly inner: readonly Shape[];
  readonly policy: number;
  readonly hasUndo: boolean;
  readonly refersBack: boolean;
}

const { shape } = fc.letrec<{ shape: Shape }>((tie) => ({
  shape: fc.record({
    kind: fc.constantFrom('leaf', 'leaf', 'async', 'all', 'any', 'none', 'conditional', 'loop'),
    inner: fc.oneof(
      { maxDepth: 4, withCrossShrink: true },
      { weight: 1, arbitrary: fc.constant([]) },
      { weight: 5, arbitrary: fc.array(tie('shape'), { minLength: 1, maxLength: 3, size: 'max' }) },
    ),
    policy: fc.nat(11),
    hasUndo: fc.boolean(),
    refersBack: fc.boolean(),
  }),
}));

export const anyWorkflow: fc.Arbitrary<Workflow> = fc
  .record({
    shapes: fc.array(shape, { minLength: 1, maxLength: 4, size: 'max' }),
    slots: fc.integer({ min: 1, max: 4 }),
    fallback: fc.nat(11),
  })
  .map(({ shapes, slots, fallback }) => build(shapes, slots, fallback));

/** How a leaf's attempt goes; drawn again and again. */
export interface Chance {
  /** In [0, 1). */
  next(): number;
}

export function chanceFrom(seed: number): Chance {
  let state = seed | 0;
  return {
    next: () => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
    },
  };
}

function build(shapes: readonly Shape[], slots: number, fallback: number): Workflow {
  let count = 0;
  const perStep: Record<string, ErrorPolicy> = {};
  const ids: string[] = [];
  const make = (one: Shape, depth: number): Step => {
    count += 1;
    const id = `s${count}`;
    const earlier = ids.at(-1);
    const policy = policyOf(one.policy, id);
    if (policy !== null) perStep[id] = policy;
    const undo = one.hasUndo ? { id: `u${count}`, step: skill(`u${count}`) } : null;
    const inputs = one.refersBack && earlier !== undefined ? { x: ref(earlier) } : {};
    const steps = (depth > 3 ? [] : one.inner).map((inner) => make(inner, depth + 1));
    ids.push(id);
    const isLeaf = one.kind === 'leaf' || one.kind === 'async' || steps.length === 0;
    if (isLeaf)
      return skill(id, { undo, inputs, isAsync: one.kind === 'async', onResume: onResume(one.policy) });
    if (one.kind === 'loop') return loop(id, 'iteration < 2', steps, { undo });
    if (one.kind !== 'conditional')
      return parallel(id, steps, {
        undo,
        waitFor: one.kind,
      });
    const [first, ...rest] = steps;
    const condition = one.policy % 2 === 0 ? 'true' : 'false';
    return conditional(id, condition, { then: first === undefined ? [] : [first], else: rest }, { undo });
  };
  const steps = shapes.map((one) => make(one, 0));
  const rollback = { isEnabled: true, steps: [{ id: 'last', step: skill('last') }] };
  return workflow(steps, { slots, perStep, rollback, default: policyOf(fallback, 'default') ?? HALT });
}

function onResume(policy: number): 'rerun' | 'fail' | 'skip' {
  if (policy === 3) return 'fail';
  return policy === 4 ? 'skip' : 'rerun';
}

function policyOf(kind: number, id: string): ErrorPolicy | null {
  switch (kind) {
    case 0:
      return SKIP;
    case 1:
      return retry({ maxAttempts: 2, initialDelayMs: 10 }, SKIP);
    case 2:
      return retry({ maxAttempts: 3, initialDelayMs: 40_000 });
    case 3:
      return custom(skill(`h-${id}`));
    case 4:
      return custom(parallel(`h-${id}`, [skill(`hx-${id}`), skill(`hy-${id}`)]));
    case 5:
      return ROLLBACK;
    default:
      return null;
  }
}

type Run = Extract<Command, { readonly type: 'run' }>;

export interface Played {
  readonly bench: Bench;
  readonly peak: number;
  /** `path` of every attempt that was handed out, in order. */
  readonly handed: readonly string[];
}

/** Drives a run to its end, or throws when it is stuck. `each` is called after every batch of events. */
export function play(bench: Bench, chance: Chance, each: () => void = () => undefined): Played {
  const inFlight = new Map<string, Run>();
  const handed: string[] = [];
  let peak = 0;
  for (let round = 0; round < 20_000; round += 1) {
    bench.commands = [];
    bench.advance();
    each();
    let wakeAt: number | null = null;
    for (const command of bench.commands)
      wakeAt = carryOut(bench, command, inFlight, handed, chance) ?? wakeAt;
    each();
    peak = Math.max(peak, inFlight.size);
    if (bench.engine.state.reason !== null) return { bench, peak, handed };
    releaseSome(bench, chance);
    const running = [...inFlight.values()];
    const next = running[Math.floor(chance.next() * running.length)];
    if (next !== undefined && (wakeAt === null || chance.next() < 0.8)) finish(bench, next, inFlight, chance);
    else if (wakeAt !== null) bench.now = Math.max(bench.now, wakeAt);
    else throw new Error(`stuck: ${bench.story.join('; ')}`);
    each();
  }
  throw new Error('no end in sight');
}

function carryOut(
  bench: Bench,
  command: Command,
  inFlight: Map<string, Run>,
  handed: string[],
  chance: Chance,
): number | null {
  if (command.type === 'wake') return command.at;
  if (command.type === 'cancel') {
    inFlight.delete(command.path);
    return null;
  }
  if (inFlight.has(command.path)) throw new Error(`${command.path} was handed out twice`);
  if (!bench.engine.isCurrent(command.path, command.attempt)) return null;
  inFlight.set(command.path, command);
  handed.push(command.path);
  // One that was suspended has an effect, and has begun before.
  const wasSuspended = bench.engine.state.nodes.get(command.path)?.status === 'suspended';
  if (wasSuspended || chance.next() < 0.7)
    bench.journal.push(bench.engine.begin(command.path, command.attempt, command.inputs));
  return null;
}

function finish(bench: Bench, run: Run, inFlight: Map<string, Run>, chance: Chance): void {
  inFlight.delete(run.path);
  const { path, attempt } = run;
  const hasBegun = bench.engine.state.nodes.get(path)?.status === 'running';
  if (hasBegun && chance.next() < 0.15) {
    const approvals = [bench.journal.length];
    bench.settle({ path, attempt, kind: 'suspended', approvals, until: bench.now + 50_000 });
  } else if (chance.next() < 0.3) bench.settle({ path, attempt, kind: 'failed', error: fault() });
  else bench.settle({ path, attempt, kind: 'completed', result: { n: handedNumber(path) } });
  cancelGone(bench, inFlight);
}

/** A person decides now and then; what nobody decides goes on when its time is over. */
function releaseSome(bench: Bench, chance: Chance): void {
  for (const node of bench.engine.state.nodes.values())
    if (node.status === 'suspended' && chance.next() < 0.3)
      for (const approval of node.approvals) bench.journal.push(...bench.engine.release(approval).events);
}

/** Cancels that came with a settle. */
function cancelGone(bench: Bench, inFlight: Map<string, Run>): void {
  for (const command of bench.commands) {
    if (command.type !== 'cancel') continue;
    const run = inFlight.get(command.path);
    if (run !== undefined && !bench.engine.isCurrent(run.path, run.attempt)) inFlight.delete(command.path);
  }
}

function handedNumber(path: string): number {
  return path.length;
}

/** Paths of leaves that a journal has completed. */
export function completedPaths(journal: readonly RunEvent[]): Set<string> {
  return new Set(journal.flatMap((event) => (event.type === 'step.completed' ? [event.path] : [])));
}
