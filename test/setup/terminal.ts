/** A real terminal: a tmux server of its own, to type into and to read the screen of. */
import { execFileSync, spawnSync } from 'node:child_process';
import { type Bench, eventually, ROOT } from './bench-home.ts';

export interface Terminal {
  /** Types a command line and Enter, then waits for nothing. */
  run(line: string): void;
  /** Keys in tmux's names: C-c, Enter, s. */
  press(...keys: readonly string[]): void;
  /** What is on the screen and what went off its top. */
  screen(): string;
  /** Only what is on the screen. */
  visible(): string;
  /** The same with its colours, as escapes. */
  colours(): string;
  /** Resolves when programs on it see the new size: tmux waits a quarter of a second before it says so. */
  resize(columns: number, rows: number): Promise<void>;
  /** Resolves with the screen as soon as it matches. */
  shows(pattern: RegExp): Promise<string>;
  close(): void;
}

export function lacksTmux(): string | false {
  return spawnSync('tmux', ['-V']).status === 0 ? false : 'tmux is not installed';
}

/** Opens a shell of 100 × 30 in the workspace, where `q` is our command line. */
export function openTerminal(bench: Bench): Terminal {
  const server = `qw-${process.pid}-${Math.floor(performance.now())}`;
  const tmux = (...args: readonly string[]): string =>
    execFileSync('tmux', ['-L', server, '-f', '/dev/null', ...args], {
      encoding: 'utf8',
      env: { ...bench.env, TERM: 'screen-256color', LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8' },
    });
  const shell = `PS1='$ ' exec sh -c 'trap : INT; q() { "${ROOT}/bin/q" "$@"; echo "exit $?"; }; while read -r line; do eval "$line"; done'`;
  tmux('new-session', '-d', '-x', '100', '-y', '30', '-c', bench.workspace, shell);
  const screen = (): string => tmux('capture-pane', '-p', '-J', '-S', '-200');
  return {
    run: (line) => void tmux('send-keys', line, 'Enter'),
    press: (...keys) => void tmux('send-keys', ...keys),
    screen,
    visible: () => tmux('capture-pane', '-p', '-J'),
    colours: () => tmux('capture-pane', '-p', '-e'),
    resize: async (columns, rows) => {
      tmux('resize-window', '-x', String(columns), '-y', String(rows));
      const tty = tmux('display-message', '-p', '#{pane_tty}').trim();
      const size = (): string => execFileSync('stty', ['-F', tty, 'size'], { encoding: 'utf8' }).trim();
      await eventually(`a terminal of ${columns} × ${rows}`, () => size() === `${rows} ${columns}`);
    },
    shows: async (pattern) => {
      try {
        return await eventually(`a screen with ${pattern}`, () => pattern.test(screen()) && screen());
      } catch (error) {
        throw new Error(`the screen was:\n${screen()}`, { cause: error });
      }
    },
    close: () => {
      tmux('kill-server');
    },
  };
}
