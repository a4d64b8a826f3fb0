import { constants } from 'node:os';

/** How a launched process ended, as Node tells it. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface CommandExit extends ProcessExit {
  /** False when the command was never executed: the sandbox could not be made, or the file in it. */
  readonly hasRun: boolean;
}

/** Git, for one, ends with 129 when it is called wrongly: that one stays an exit code. */
const FIRST_SIGNAL_CODE = 130;
const SIGNALS = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

/**
 * What the end of bwrap says of the command in it. `status` is what bwrap wrote to --json-status-fd: an exit code is
 * in it only when the command was executed. bwrap turns an end by signal N into 128 + N, and so do shells; both are
 * read as the signal, except 129.
 */
export function commandExit(exit: ProcessExit, status: string): CommandExit {
  const told = /"exit-code":\s*(\d+)/.exec(status);
  // bwrap itself was killed: with its scope, so the command has ended too.
  if (exit.signal !== null || exit.code === 0) return { ...exit, hasRun: true };
  if (told === null) return { ...exit, hasRun: false };
  const code = Number(told[1]);
  const signal = code >= FIRST_SIGNAL_CODE ? SIGNALS.get(code - 128) : undefined;
  return signal === undefined
    ? { code, signal: null, hasRun: true }
    : { code: null, signal: signal as NodeJS.Signals, hasRun: true };
}

export interface LaunchFault {
  /** The layer that failed; null when the command itself could not be executed. */
  readonly layer: 'bubblewrap' | 'setpriv' | 'scope' | 'network' | null;
  readonly why: string;
}

/** Why a command that never ran did not, from what the launchers said on stderr. */
export function launchFault(stderr: string): LaunchFault {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '');
  const said = lines.find((line) => /^(bwrap|setpriv|q-workflow-shim): /.test(line)) ?? lines.at(-1) ?? '';
  const words = said.replace(/^(bwrap|setpriv|q-workflow-shim): /, '');
  const command = /^execvp .*: (.*)$/.exec(words);
  if (said.startsWith('bwrap: ') && command !== null) {
    const isMissing = command[1] === 'No such file or directory';
    return {
      layer: null,
      why: isMissing ? 'is not in view of the sandbox' : `could not be executed: ${command[1]}`,
    };
  }
  if (said.startsWith('setpriv: ')) return { layer: 'setpriv', why: words };
  const network = /^q-workflow-shim: network: (.*)$/m.exec(stderr);
  if (network !== null) return { layer: 'network', why: network[1] ?? '' };
  // A shell of ours: it could not join the scope, or not execute the next link.
  const link = /(bwrap|setpriv): /.exec(words)?.[1];
  if (said.startsWith('q-workflow-shim: '))
    return { layer: link === undefined ? 'scope' : link === 'bwrap' ? 'bubblewrap' : 'setpriv', why: words };
  return { layer: 'bubblewrap', why: words === '' ? 'it ended without a word' : words };
}
