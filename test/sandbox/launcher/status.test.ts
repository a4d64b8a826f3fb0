import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandExit, launchFault } from '../../../sandbox/launcher/status.ts';

const told = (code: number): string => `{ "child-pid": 12 }\n{ "exit-code": ${code} }\n`;
const exit = (code: number) => ({ code, signal: null });

test('the exit code of a command is its own', () => {
  assert.deepEqual(commandExit(exit(0), ''), { code: 0, signal: null, hasRun: true });
  assert.deepEqual(commandExit(exit(1), told(1)), { code: 1, signal: null, hasRun: true });
  assert.deepEqual(commandExit(exit(255), told(255)), { code: 255, signal: null, hasRun: true });
});

test('128 + N is an end by signal N, but for 129, which git uses for wrong usage', () => {
  assert.deepEqual(commandExit(exit(137), told(137)), { code: null, signal: 'SIGKILL', hasRun: true });
  assert.deepEqual(commandExit(exit(139), told(139)), { code: null, signal: 'SIGSEGV', hasRun: true });
  assert.deepEqual(commandExit(exit(129), told(129)), { code: 129, signal: null, hasRun: true });
  assert.deepEqual(commandExit(exit(128), told(128)), { code: 128, signal: null, hasRun: true });
});

test('without an exit code in the status the command never ran', () => {
  assert.deepEqual(commandExit(exit(1), '{ "child-pid": 12 }'), { code: 1, signal: null, hasRun: false });
  assert.deepEqual(commandExit(exit(1), ''), { code: 1, signal: null, hasRun: false });
});

test('a kill of bwrap itself is the end of the command', () => {
  const killed = { code: null, signal: 'SIGKILL' } as const;
  assert.deepEqual(commandExit(killed, ''), { ...killed, hasRun: true });
});

test('a fault names the layer that failed, or the command', () => {
  assert.deepEqual(launchFault("bwrap: Can't mkdir /x: Read-only file system\n"), {
    layer: 'bubblewrap',
    why: "Can't mkdir /x: Read-only file system",
  });
  assert.deepEqual(launchFault('bwrap: execvp /x: No such file or directory\n'), {
    layer: null,
    why: 'is not in view of the sandbox',
  });
  assert.deepEqual(launchFault('bwrap: execvp /x: Permission denied\n'), {
    layer: null,
    why: 'could not be executed: Permission denied',
  });
  assert.deepEqual(launchFault('setpriv: setresuid failed: Operation not permitted\n'), {
    layer: 'setpriv',
    why: 'setresuid failed: Operation not permitted',
  });
  assert.deepEqual(launchFault('q-workflow-shim: 2: cannot create /x: Directory nonexistent\n'), {
    layer: 'scope',
    why: '2: cannot create /x: Directory nonexistent',
  });
  assert.deepEqual(launchFault('q-workflow-shim: 7: exec: /usr/bin/bwrap: not found\n'), {
    layer: 'bubblewrap',
    why: '7: exec: /usr/bin/bwrap: not found',
  });
  assert.deepEqual(launchFault('q-workflow-shim: line 7: /usr/bin/setpriv: No such file or directory\n'), {
    layer: 'setpriv',
    why: 'line 7: /usr/bin/setpriv: No such file or directory',
  });
  const shell = 'q-workflow-shim: 1: /x/node: not found\n';
  assert.deepEqual(launchFault(`${shell}q-workflow-shim: network: there is no listener\n`), {
    layer: 'network',
    why: 'there is no listener',
  });
  assert.deepEqual(launchFault(''), { layer: 'bubblewrap', why: 'it ended without a word' });
});
