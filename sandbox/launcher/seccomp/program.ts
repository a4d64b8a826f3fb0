import {
  ALLOW,
  assemble,
  KILL,
  OFFSET_ARCH,
  OFFSET_NUMBER,
  offsetOfArgument,
  refuse,
  type Statement,
} from './bpf.ts';
import { CHECKED, MACHINES, type Machine, REFUSED } from './syscalls.ts';

const EPERM = 1;
const ENOSYS = 38;

/** CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET. CLONE_NEWTIME is no flag of clone(2). */
const NEW_NAMESPACES =
  0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000;
const TERMINAL_INPUT = [0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */];
/**
 * AF_INET, AF_INET6, AF_NETLINK (getaddrinfo asks it). Not AF_UNIX: abstract sockets belong to the network namespace
 * and those with a path to whoever sees the path, both the host's; not AF_VSOCK: no namespace holds it.
 */
const FAMILIES = [2, 10, 16];
const FORMAT_MASK = 0o170000;
const DEVICES = [0o020000, 0o060000];
/**
 * Whoever runs such a file becomes its owner, and the workspace is the host's: root's own where root owns it. S_ISGID
 * stays: folders that a group shares have it.
 */
const SET_USER_ID = 0o4000;
/** O_CREAT and __O_TMPFILE, the same on both machines. Without one of them a call's mode is whatever the register held. */
const MAKES_FILES = 0o100 | 0o20000000;
const PERSONALITY_QUERY = 0xffffffff;

/**
 * The seccomp program of every tier from `skill` on, for a `process.arch`; null where we have no numbers.
 * Refused calls answer EPERM, so that programs can go another way; clone3 answers ENOSYS because its flags are in
 * memory that a filter cannot read, and every libc then takes clone; so does openat2, whose callers take openat. Another
 * architecture's calls kill.
 */
export function seccompProgram(arch: string = process.arch): Buffer | null {
  const machine = MACHINES[arch];
  return machine === undefined ? null : assemble(statements(machine));
}

function statements(machine: Machine): Statement[] {
  const all: Statement[] = [
    { kind: 'load', offset: OFFSET_ARCH },
    { kind: 'jump', test: 'equal', value: machine.arch, to: 'known' },
    { kind: 'return', action: KILL },
    label('known'),
    { kind: 'load', offset: OFFSET_NUMBER },
  ];
  if (machine.foreignBit !== null)
    all.push({ kind: 'jump', test: 'at-least', value: machine.foreignBit, to: 'refuse' });
  for (const numbers of Object.values(REFUSED)) all.push(...onNumber(numbers[machine.column], 'refuse'));
  for (const [name, numbers] of Object.entries(CHECKED)) all.push(...onNumber(numbers[machine.column], name));
  all.push({ kind: 'return', action: ALLOW });
  all.push(
    label('clone'),
    ...argument(0),
    { kind: 'jump', test: 'any-bit', value: NEW_NAMESPACES, to: 'refuse' },
    { kind: 'return', action: ALLOW },
    label('clone3'),
    label('openat2'),
    { kind: 'return', action: refuse(ENOSYS) },
    label('personality'),
    ...argument(0),
    ...allowOnly([0, PERSONALITY_QUERY]),
    label('mknod'),
    ...argument(1),
    { kind: 'go', to: 'node-format' },
    label('mknodat'),
    ...argument(2),
    label('node-format'),
    { kind: 'jump', test: 'any-bit', value: SET_USER_ID, to: 'refuse' },
    { kind: 'and', mask: FORMAT_MASK },
    ...refuseOnly(DEVICES),
    label('ioctl'),
    ...argument(1),
    ...refuseOnly(TERMINAL_INPUT),
    label('socket'),
    ...argument(0),
    ...allowOnly(FAMILIES),
    label('open'),
    ...argument(1),
    { kind: 'jump', test: 'any-bit', value: MAKES_FILES, to: 'fchmodat' },
    { kind: 'return', action: ALLOW },
    label('openat'),
    ...argument(2),
    { kind: 'jump', test: 'any-bit', value: MAKES_FILES, to: 'mode-fourth' },
    { kind: 'return', action: ALLOW },
    label('mode-fourth'),
    ...argument(3),
    { kind: 'go', to: 'mode' },
    label('fchmodat'),
    label('fchmodat2'),
    ...argument(2),
    { kind: 'go', to: 'mode' },
    label('chmod'),
    label('fchmod'),
    label('creat'),
    ...argument(1),
    label('mode'),
    { kind: 'jump', test: 'any-bit', value: SET_USER_ID, to: 'refuse' },
    { kind: 'return', action: ALLOW },
    label('refuse'),
    { kind: 'return', action: refuse(EPERM) },
    label('allow'),
    { kind: 'return', action: ALLOW },
  );
  return all;
}

function label(name: string): Statement {
  return { kind: 'label', name };
}

function argument(index: number): Statement[] {
  return [{ kind: 'load', offset: offsetOfArgument(index) }];
}

function onNumber(number: number | null, to: string): Statement[] {
  return number === null ? [] : [{ kind: 'jump', test: 'equal', value: number, to }];
}

function allowOnly(values: readonly number[]): Statement[] {
  return [
    ...values.map((value): Statement => ({ kind: 'jump', test: 'equal', value, to: 'allow' })),
    { kind: 'go', to: 'refuse' },
  ];
}

function refuseOnly(values: readonly number[]): Statement[] {
  return [
    ...values.map((value): Statement => ({ kind: 'jump', test: 'equal', value, to: 'refuse' })),
    { kind: 'go', to: 'allow' },
  ];
}
