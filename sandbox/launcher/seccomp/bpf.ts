/**
 * Classic BPF as seccomp takes it: a list of statements whose conditional jumps name labels, assembled into bytes.
 * Only jumps forward exist (the kernel refuses others), and a conditional one reaches 255 instructions.
 * https://docs.kernel.org/userspace-api/seccomp_filter.html
 */
export type Statement =
  | { readonly kind: 'load'; readonly offset: number }
  | { readonly kind: 'and'; readonly mask: number }
  | {
      readonly kind: 'jump';
      readonly test: 'equal' | 'at-least' | 'any-bit';
      readonly value: number;
      readonly to: string;
    }
  | { readonly kind: 'go'; readonly to: string }
  | { readonly kind: 'return'; readonly action: number }
  | { readonly kind: 'label'; readonly name: string };

/** Offsets in `struct seccomp_data`; of an argument the low 32 bits, both machines being little-endian. */
export const OFFSET_NUMBER = 0;
export const OFFSET_ARCH = 4;
export const offsetOfArgument = (index: number): number => 16 + 8 * index;

export const ALLOW = 0x7fff0000;
export const KILL = 0x80000000;
export const refuse = (errno: number): number => 0x00050000 | errno;

const CODES = {
  load: 0x20,
  and: 0x54,
  go: 0x05,
  return: 0x06,
  equal: 0x15,
  'at-least': 0x35,
  'any-bit': 0x45,
};
const MAX_JUMP = 255;

/** The program as `struct sock_filter[]`. Throws when a label is missing, lies behind, or is too far away. */
export function assemble(statements: readonly Statement[]): Buffer {
  const places = new Map<string, number>();
  let count = 0;
  for (const statement of statements) {
    if (statement.kind === 'label') places.set(statement.name, count);
    else count += 1;
  }
  const program = Buffer.alloc(count * 8);
  let at = 0;
  const distance = (to: string): number => {
    const place = places.get(to);
    if (place === undefined || place <= at) throw new Error(`no label "${to}" ahead of instruction ${at}`);
    return place - at - 1;
  };
  const write = (code: number, whenTrue: number, operand: number): void => {
    if (whenTrue > MAX_JUMP) throw new Error(`a jump of ${whenTrue} at instruction ${at} is too far`);
    program.writeUInt16LE(code, at * 8);
    program.writeUInt8(whenTrue, at * 8 + 2);
    program.writeUInt32LE(operand >>> 0, at * 8 + 4);
    at += 1;
  };
  for (const statement of statements) {
    switch (statement.kind) {
      case 'label':
        break;
      case 'load':
        write(CODES.load, 0, statement.offset);
        break;
      case 'and':
        write(CODES.and, 0, statement.mask);
        break;
      case 'go':
        write(CODES.go, 0, distance(statement.to));
        break;
      case 'return':
        write(CODES.return, 0, statement.action);
        break;
      case 'jump':
        write(CODES[statement.test], distance(statement.to), statement.value);
        break;
    }
  }
  return program;
}
