/**
 * How a step's environment reaches its command and nothing before it: shim and setpriv may be root's and must not
 * load what a step names in LD_PRELOAD; argv is public. So it comes by descriptor to the last link, which runs as
 * the step and becomes the command. bwrap has --setenv for it; without bwrap a shell does it.
 */
const readBy = (read: string, fd: number): string =>
  `${read} || exit 125; unset PATH PWD OLDPWD SHLVL; eval "$__q_e" && exec "$@" ${fd}<&-`;
/** dash reads a byte at a time: faster than a process of its own for a short text, slower by seconds for a long one. */
const readShort = (fd: number): string => readBy(`IFS= read -r __q_e <&${fd}`, fd);
const readLong = (fd: number): string =>
  readBy(`if command -v cat >/dev/null; then __q_e=$(cat <&${fd}); else IFS= read -r __q_e <&${fd}; fi`, fd);
const SHORT_LENGTH = 4096;
const nodeScript = (
  fd: number,
): string => `const fs=require('node:fs');const env=JSON.parse(fs.readFileSync(${fd},'utf8'));fs.closeSync(${fd});
const [file,...args]=process.argv.slice(1);process.execve(file,[file,...args],env)`;

/** Names that a shell keeps for itself, changes or refuses. */
const SHELL_OWN = new Set([
  'IFS',
  'OPTIND',
  'PPID',
  'UID',
  'EUID',
  'GROUPS',
  'SHELLOPTS',
  'BASHOPTS',
  'BASH_VERSINFO',
  'LINENO',
  'RANDOM',
  'SECONDS',
  'SHLVL',
  '_',
]);

export interface EnvironmentLink {
  /** Words before the command. */
  readonly argv: readonly string[];
  /** For its descriptor. */
  readonly text: string;
}

/**
 * `name` is what the shell calls itself in its messages, `fd` (one digit) where it reads. Node is slow to start, and
 * only for names no shell carries.
 */
export function environmentLink(
  env: Readonly<Record<string, string>>,
  name: string,
  fd = 3,
): EnvironmentLink {
  if (!Object.keys(env).every(isShellName))
    return {
      argv: [process.execPath, '--no-warnings', '-e', nodeScript(fd), '--'],
      text: JSON.stringify(env),
    };
  const text = shellText(env);
  return { argv: ['/bin/sh', '-c', text.length > SHORT_LENGTH ? readLong(fd) : readShort(fd), name], text };
}

function isShellName(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !SHELL_OWN.has(name) && !name.startsWith('__q_');
}

/** One line, because `read` takes one; a line end in a value is put together from a variable. */
function shellText(env: Readonly<Record<string, string>>): string {
  const words = Object.entries(env).map(([name, value]) => `${name}=${quote(value)}`);
  const lineEnd = "__q_n=$(printf '\\nx'); __q_n=${__q_n%x};";
  const needsLineEnd = words.some((word) => word.includes('$__q_n'));
  return `${needsLineEnd ? lineEnd : ''} ${words.length === 0 ? '' : `export ${words.join(' ')}`}\n`;
}

function quote(value: string): string {
  return `'${value.replaceAll("'", `'\\''`).replaceAll('\n', `'"$__q_n"'`)}'`;
}
