import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ALLOW, assemble, KILL, refuse } from '../../../sandbox/launcher/seccomp/bpf.ts';
import { seccompProgram } from '../../../sandbox/launcher/seccomp/program.ts';
import { CHECKED, MACHINES, REFUSED } from '../../../sandbox/launcher/seccomp/syscalls.ts';
import { answer } from './bpf-machine.ts';

const EPERM = refuse(1);
const ENOSYS = refuse(38);

for (const name of ['x64', 'arm64'] as const) {
  const machine = MACHINES[name];
  const program = seccompProgram(name);
  assert.ok(machine !== undefined && program !== null);
  const { arch, column } = machine;
  const call = (number: number, ...args: number[]): number => answer(program, { arch, number, args });
  const numberOf = (checked: keyof typeof CHECKED): number =>
    CHECKED[checked][column] ?? assert.fail(checked);

  describe(`the program for ${name}`, () => {
    test('a call of another architecture kills', () => {
      for (const other of [0x40000003, 0x40000028, 0, 0xffffffff])
        assert.equal(answer(program, { arch: other, number: 0 }), KILL);
    });

    test('every call of the list answers EPERM, whatever its arguments', () => {
      for (const [refused, numbers] of Object.entries(REFUSED)) {
        const number = numbers[column];
        if (number === null) continue;
        for (const args of [[], [1, 2, 3], [0xffffffff, 0xffffffff, 0xffffffff]])
          assert.equal(call(number, ...args), EPERM, refused);
      }
    });

    test('what programs live by is allowed', () => {
      // read, write, openat, execve, exit_group, socketpair, connect, prctl, seccomp, futex, wait4
      const numbers = {
        x64: [0, 1, 257, 59, 231, 53, 42, 157, 317, 202, 61],
        arm64: [63, 64, 56, 221, 94, 199, 203, 167, 277, 98, 260],
      }[name];
      for (const number of numbers) assert.equal(call(number), ALLOW, String(number));
    });

    test('clone makes processes and threads, but no namespace', () => {
      const fork = 0x01200011;
      const thread = 0x003d0f00;
      assert.equal(call(numberOf('clone'), fork), ALLOW);
      assert.equal(call(numberOf('clone'), thread), ALLOW);
      for (const flag of [0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000])
        assert.equal(call(numberOf('clone'), fork | flag), EPERM, flag.toString(16));
    });

    test('clone3 is not there, so that the libc takes clone', () => {
      assert.equal(call(numberOf('clone3'), 0x1000, 88), ENOSYS);
    });

    test('sockets are of the internet or netlink only', () => {
      for (const family of [2, 10, 16]) assert.equal(call(numberOf('socket'), family, 1), ALLOW);
      for (const family of [0, 1, 3, 17, 38, 40, 44])
        assert.equal(call(numberOf('socket'), family, 1), EPERM);
    });

    test('nothing is typed into a terminal', () => {
      assert.equal(call(numberOf('ioctl'), 0, 0x5412), EPERM);
      assert.equal(call(numberOf('ioctl'), 0, 0x541c), EPERM);
      // The kernel looks at 32 bits of the command only.
      assert.equal(call(numberOf('ioctl'), 0, 0x100005412), EPERM);
      assert.equal(call(numberOf('ioctl'), 0, 0x5413), ALLOW);
    });

    test('personality is asked, or Linux', () => {
      assert.equal(call(numberOf('personality'), 0xffffffff), ALLOW);
      assert.equal(call(numberOf('personality'), 0), ALLOW);
      assert.equal(call(numberOf('personality'), 0x0040000), EPERM);
    });

    test('no device nodes are made, other files are', () => {
      for (const format of [0o020000, 0o060000])
        assert.equal(call(numberOf('mknodat'), 0, 0, format | 0o666), EPERM);
      for (const format of [0, 0o010000, 0o100000, 0o140000])
        assert.equal(call(numberOf('mknodat'), 0, 0, format | 0o644), ALLOW);
      if (name === 'arm64') return;
      assert.equal(call(numberOf('mknod'), 0, 0o060000 | 0o666), EPERM);
      assert.equal(call(numberOf('mknod'), 0, 0o010000 | 0o666), ALLOW);
    });

    test('no file is made or turned set-uid; what is opened, shared or private is', () => {
      const [making, temporary, opening] = [0o101, 0o20200002, 0o2];
      const modes = [
        [0o4755, EPERM],
        [0o6755, EPERM],
        [0o4000, EPERM],
        [0o2775, ALLOW],
        [0o1777, ALLOW],
        [0o600, ALLOW],
      ] as const;
      for (const [mode, expected] of modes) {
        assert.equal(call(numberOf('fchmod'), 3, mode), expected, mode.toString(8));
        assert.equal(call(numberOf('fchmodat'), 0, 0, mode), expected);
        assert.equal(call(numberOf('fchmodat2'), 0, 0, mode, 0), expected);
        assert.equal(call(numberOf('mknodat'), 0, 0, 0o100000 | mode), expected);
        for (const flags of [making, temporary])
          assert.equal(call(numberOf('openat'), 0, 0, flags, mode), expected);
        // A mode that the kernel does not look at.
        assert.equal(call(numberOf('openat'), 0, 0, opening, mode), ALLOW);
        if (name === 'arm64') continue;
        assert.equal(call(numberOf('chmod'), 0, mode), expected);
        assert.equal(call(numberOf('creat'), 0, mode), expected);
        assert.equal(call(numberOf('mknod'), 0, 0o100000 | mode), expected);
        assert.equal(call(numberOf('open'), 0, making, mode), expected);
        assert.equal(call(numberOf('open'), 0, opening, mode), ALLOW);
      }
      // Its flags and mode are in memory.
      assert.equal(call(numberOf('openat2'), 0), ENOSYS);
    });

    test('calls of x32 are refused', { skip: name === 'arm64' && 'there is no x32 on it' }, () => {
      assert.equal(call(0x40000000), EPERM);
      assert.equal(call(0x40000000 | (REFUSED.mount?.[0] ?? 0)), EPERM);
      assert.equal(call(0xffffffff), EPERM);
    });
  });
}

test('a machine without numbers has no program', () => {
  assert.equal(seccompProgram('riscv64'), null);
});

test('a jump back or too far is an error, not another program', () => {
  const end = { kind: 'return', action: ALLOW } as const;
  const jump = { kind: 'jump', test: 'equal', value: 1, to: 'x' } as const;
  assert.throws(() => assemble([{ kind: 'label', name: 'x' }, jump, end]), {
    message: 'no label "x" ahead of instruction 0',
  });
  assert.throws(() => assemble([jump, end]), { message: 'no label "x" ahead of instruction 0' });
  assert.throws(
    () => assemble([jump, ...Array.from({ length: 256 }, () => end), { kind: 'label', name: 'x' }, end]),
    {
      message: 'a jump of 256 at instruction 0 is too far',
    },
  );
});
