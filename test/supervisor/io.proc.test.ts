import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { lacksDirectIo } from '../sandbox/direct-io.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, runToEnd, startRun } from '../setup/leftovers.ts';

const MIB = 1024 * 1024;
const skip = lacksDirectIo();

describe('IO of an instance that ends before anybody looks', { timeout: 120_000, skip }, () => {
  let bench: Bench;
  before(() => {
    // bwrap waits for none of its processes, so their last bytes are nobody's where the kernel counts by process.
    bench = openBench({ bubblewrap: 'refused' });
    bench.script('write.sh', 'dd if=/dev/zero of=big bs=1M count=8 oflag=direct\n');
    bench.skill('write', { type: 'code_inline', command: 'sh', args: ['write.sh'] });
  });
  after(() => bench.close());

  test('is in its status all the same', async () => {
    bench.workflow('short', { steps: [{ id: 'it', type: 'skill', skill: 'write' }] });
    const { code, run } = await runToEnd(bench, 'short');
    assert.equal(code, 0, JSON.stringify(run.error));
    const written = run.usage?.io_written_bytes ?? 0;
    assert.ok(written >= 8 * MIB && written < 24 * MIB, `${written} written`);
  });
});

for (const kind of ['auto', 'polling'] as const)
  describe(`IO of an instance (isolation ${kind})`, { timeout: 300_000, skip }, () => {
    let bench: Bench;
    let isHeld: boolean;

    before(async () => {
      bench = openBench(kind === 'polling' ? { isolation: kind } : {});
      bench.script('run.sh', 'eval "$1"\n');
      bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
      const status = (await bench.json('supervisor', 'start')) as SupervisorStatus;
      isHeld = status.isolation.enforced.includes('io');
    });
    after(() => bench.close());

    const shell = (id: string, script: string, more: object = {}): object => ({
      id,
      type: 'skill',
      skill: 'sh',
      inputs: { script: { literal: script } },
      ...more,
    });
    const write = 'dd if=/dev/zero of=big bs=1M count=8 oflag=direct';
    const read = 'dd if=big of=/dev/null bs=1M iflag=direct';

    test('of a step is in the status of the run when it has ended', async () => {
      // Two seconds: what is seen by looks has to be there for one.
      bench.workflow('short', { steps: [shell('it', `${write}; ${read}; sleep 2`)] });
      const { code, run } = await runToEnd(bench, 'short');
      assert.equal(code, 0, JSON.stringify(run.error));
      const { io_read_bytes: readBytes, io_written_bytes: writtenBytes } = run.usage ?? {};
      assert.ok((writtenBytes ?? 0) >= 8 * MIB && (writtenBytes ?? 0) < 24 * MIB, `${writtenBytes} written`);
      assert.ok((readBytes ?? 0) >= 8 * MIB, `${readBytes} read`);
      assert.equal(run.limits.max_io_mb_per_s, null);
      assert.doesNotMatch(run.notice ?? '', /max_io_mb_per_s/);
    });

    test('is seen while it runs, and in its history', async () => {
      bench.workflow('busy', {
        steps: [shell('it', `until [ -e go ]; do ${write}; sleep 0.2; done`)],
        resource_limits: { max_cpu_percent: 1000 },
      });
      const id = await startRun(bench, 'busy');
      const rate = await eventually('a rate of writes', async () => {
        const { usage } = await bench.status(id);
        return (usage?.now?.io_written_bytes_per_s ?? 0) > 0 && usage;
      });
      assert.ok((rate.io_written_bytes ?? 0) >= 8 * MIB, JSON.stringify(rate));
      bench.script('go', '');
      const { usage } = await endOf(bench, id);
      const rates = usage?.series?.io_written_bytes_per_s ?? [];
      assert.equal(rates.length, usage?.series?.memory_bytes.length);
      assert.ok(Math.max(...rates) > MIB, rates.join(' '));
      const { stdout } = await bench.q('status', id);
      assert.match(stdout, /^ {2}io {5}[▁▂▃▄▅▆▇█]+ {2}read \d+ [kM]B, written \d+ MB$/m);
    });

    test('is limited where the kernel can, else the run says that it is not', async () => {
      bench.workflow('limited', {
        steps: [shell('it', 'echo ran')],
        resource_limits: { max_io_mb_per_s: 2.5 },
      });
      const { code, run } = await runToEnd(bench, 'limited');
      assert.equal(code, 0, JSON.stringify(run.error));
      assert.equal(run.limits.max_io_mb_per_s, 2.5);
      assert.equal(run.isolation?.enforced.includes('io'), isHeld);
      const notice = /max_io_mb_per_s is not held: [^.]+\./.exec(run.notice ?? '')?.[0];
      const backend = run.isolation?.backend;
      const problem =
        backend === 'cgroup-v2'
          ? 'cgroup v2 has no controller io here that holds limits'
          : `only cgroup v2 holds it, and this is ${backend}`;
      assert.equal(notice, isHeld ? undefined : `max_io_mb_per_s is not held: ${problem}.`);
    });

    test('that is to be limited by force is refused where nothing holds it', async (t) => {
      if (isHeld) return t.skip('it is held here');
      bench.workflow('strict', {
        steps: [shell('it', 'echo ran')],
        resource_limits: { max_io_mb_per_s: 2, enforcement: 'required' },
      });
      const { status, stdout } = await bench.q('run', 'strict', '--json');
      assert.equal(status, 6, stdout);
      const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
      assert.equal(error.code, 'ISOLATION_MISSING');
      // Where no limit is enforced at all, the others are told first.
      const what =
        kind === 'polling' ? /memory, cpu, processes would only/ : /max_io_mb_per_s would not be held/;
      assert.match(error.message, what);
    });
  });
