/**
 * Commands of our pages, run as they stand. A block of `sh` is run as a whole; in a block of `console` each line with
 * `$ ` is a command (`> ` goes on with it), and every line below it has to be in what it prints. `<!-- not run: why -->`
 * above a block keeps it from being run. What differs from run to run (times, ids, memory) is not compared, and `…`
 * stands for anything.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { finish } from './bench-home.ts';

export interface DocCommand {
  readonly line: number;
  readonly text: string;
  readonly shown: readonly string[];
}

export interface Ran {
  readonly status: number | null;
  readonly output: string;
}

interface Block {
  readonly language: string;
  readonly line: number;
  readonly lines: readonly string[];
  readonly isRun: boolean;
}

export function commandsOf(page: string): DocCommand[] {
  return blocksOf(page).flatMap((block) => {
    if (!block.isRun) return [];
    if (block.language === 'sh') return [{ line: block.line, text: block.lines.join('\n'), shown: [] }];
    return block.language === 'console' ? consoleCommands(block) : [];
  });
}

export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { language: string; line: number; lines: string[]; isRun: boolean } | null = null;
  let above = '';
  for (const [index, text] of page.split('\n').entries()) {
    const fence = /^```(\w*)$/.exec(text);
    if (open !== null && fence !== null) {
      blocks.push(open);
      open = null;
    } else if (open !== null) open.lines.push(text);
    else if (fence !== null)
      open = {
        language: fence[1] ?? '',
        line: index + 1,
        lines: [],
        isRun: !above.startsWith('<!-- not run: '),
      };
    if (text !== '') above = text;
  }
  return blocks;
}

function consoleCommands(block: Block): DocCommand[] {
  const commands: { line: number; text: string; shown: string[] }[] = [];
  for (const [index, text] of block.lines.entries()) {
    const last = commands.at(-1);
    if (text.startsWith('$ '))
      commands.push({ line: block.line + index + 1, text: text.slice(2), shown: [] });
    else if (text.startsWith('> ') && last?.shown.length === 0) last.text += `\n${text.slice(2)}`;
    else last?.shown.push(text);
  }
  return commands;
}

export interface DocRunOptions {
  readonly folder: string;
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly deadlineMs: number;
}

/** Runs them one after the other in one shell, so that folders, variables and background jobs stay. */
export async function runCommands(
  commands: readonly DocCommand[],
  { folder, cwd, env, deadlineMs }: DocRunOptions,
): Promise<Ran[]> {
  mkdirSync(folder, { recursive: true });
  const file = (index: number, end: string): string => join(folder, `${index}.${end}`);
  const script = [
    "trap 'kill $(jobs -p) 2> /dev/null' EXIT",
    ...commands.map(
      ({ text }, index) =>
        `{\n${text}\n} > '${file(index, 'out')}' 2>&1\necho $? > '${file(index, 'status')}'`,
    ),
  ];
  writeFileSync(join(folder, 'script.sh'), script.join('\n'));
  const shell = spawn('bash', ['--noprofile', '--norc', join(folder, 'script.sh')], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  try {
    await finish(shell, deadlineMs);
  } finally {
    endGroup(shell.pid);
  }
  return commands.map((_, index) => ({
    status: existsSync(file(index, 'status')) ? Number(readFileSync(file(index, 'status'), 'utf8')) : null,
    output: existsSync(file(index, 'out')) ? readFileSync(file(index, 'out'), 'utf8') : '',
  }));
}

/** What a page left behind in the group of its shell: background jobs, and all of it after a timeout. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Lines that were shown and are not in the output. */
export function missingLines({ shown }: DocCommand, output: string): string[] {
  const printed = new Set(output.split('\n').map(steady));
  return shown.filter((line) => {
    const wanted = steady(line);
    if (!wanted.includes('…')) return !printed.has(wanted);
    const pattern = new RegExp(`^${wanted.split('…').map(escaped).join('.*')}$`);
    return ![...printed].some((each) => pattern.test(each));
  });
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** A line without what differs from run to run. */
function steady(line: string): string {
  return line
    .replace(/\b\d+(\.\d+)? (ms|s|min)\b/g, 'TIME')
    .replace(/\b\d+ MB\b/g, 'SIZE')
    .replace(/\b[0-9a-hjkmnp-tv-z]{10}\b/g, 'ID')
    .replace(/, limits (enforced|observed) by .*/, '')
    .replace(/ +/g, ' ')
    .trimEnd();
}
