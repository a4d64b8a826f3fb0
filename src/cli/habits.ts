/**
 * Words of other tools for what commands of ours do. They are answered with what to type, and are no commands: one word
 * for each idea.
 */

/** Below any topic: the first of these that is a command there. */
const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  abort: ['stop'],
  add: ['register', 'create'],
  cancel: ['stop'],
  check: ['validate', 'verify', 'status'],
  config: ['doctor'],
  continue: ['resume'],
  delete: ['unregister', 'erase', 'prune', 'uninstall'],
  describe: ['show'],
  diff: ['list <name> --versions'],
  end: ['stop'],
  events: ['audit list'],
  exec: ['run'],
  follow: ['status <id> --watch', 'tail'],
  get: ['show', 'list'],
  health: ['doctor'],
  history: ['status --all'],
  import: ['register'],
  info: ['show', 'doctor', 'status'],
  init: ['create'],
  inspect: ['show'],
  invoke: ['run', 'trigger'],
  launch: ['run', 'start'],
  lint: ['validate', 'check'],
  log: ['logs', 'audit list', 'list'],
  ls: ['list'],
  new: ['create'],
  ps: ['status'],
  remove: ['unregister', 'erase', 'prune', 'uninstall'],
  rerun: ['resume <id>'],
  retry: ['resume <id>'],
  rm: ['unregister', 'erase', 'prune', 'uninstall'],
  runs: ['status --all', 'list'],
  start: ['run', 'trigger'],
  submit: ['run'],
  suspend: ['pause'],
  tail: ['logs <id> -f'],
  terminate: ['stop'],
  test: ['validate', 'check'],
  top: ['status <id> --watch', 'status'],
  trigger: ['schedule trigger'],
  unpause: ['resume'],
  versions: ['list --versions'],
  view: ['show', 'graph'],
  viz: ['graph'],
  watch: ['status <id> --watch', 'tail'],
  workflows: ['list'],
};

/** What no single command does. */
const SENTENCES: Readonly<Record<string, string>> = {
  'workflow supervisor restart':
    'Run q workflow supervisor stop, then q workflow supervisor start: what runs goes on meanwhile.',
  'workflow restart':
    'Run q workflow resume <id> to go on with a run, or q workflow run <name> to begin another one.',
  'workflow supervisor logs': 'Its log is log/supervisor.log in its home: see q workflow supervisor status.',
  'workflow enable': 'A schedule holds while its workflow is registered: q workflow register <file>.',
  'workflow disable':
    'A schedule ends with q workflow unregister <name>; kill workflow:<name> ends its runs too.',
};

/** The hint for a word below `prefix` (`workflow supervisor `) that is none of its commands; undefined where there is none. */
export function habitOf(prefix: string, word: string, known: readonly string[]): string | undefined {
  const sentence = SENTENCES[`${prefix}${word}`];
  if (sentence !== undefined) return sentence;
  const meant = (Object.hasOwn(COMMANDS, word) ? (COMMANDS[word] ?? []) : []).find((each) =>
    known.includes(each.replace(/ [-<].*/, '')),
  );
  return meant === undefined ? undefined : `Did you mean q ${prefix}${meant}?`;
}

/** The first of these that is a flag of the command. */
const FLAGS: Readonly<Record<string, readonly string[]>> = {
  '--arg': ['param', 'input'],
  '--background': ['detach'],
  '--bg': ['detach'],
  '--cwd': ['workspace'],
  '--dir': ['workspace'],
  '--format': ['output', 'format', 'json'],
  '--last': ['tail', 'limit'],
  '--lines': ['tail'],
  '--name': ['workflow', 'filter'],
  '--param': ['input'],
  '--params': ['param', 'input'],
  '--set': ['param', 'input'],
  '--state': ['filter'],
  '--status': ['filter'],
  '--var': ['param', 'input'],
  '-C': ['workspace'],
  '-b': ['detach'],
  '-o': ['output', 'json'],
  '-p': ['input'],
};

const FLAG_SENTENCES: Readonly<Record<string, string>> = {
  'workflow run --dry-run':
    'q workflow validate <file> checks it and q workflow graph <file> draws it, without running anything.',
  'workflow run --env': 'A step inherits few variables: give values as --input name=value.',
  'workflow stop --all':
    'q workflow kill global ends all that runs, and keeps it from starting until you re-arm.',
  'workflow kill --all':
    'q workflow kill global ends all that runs, and keeps it from starting until you re-arm.',
  'workflow logs --timestamps': 'q workflow logs <id> --json has the time of each line.',
  'workflow status --failed': 'q workflow status --all --filter status=failed shows those.',
  ...Object.fromEntries(
    ['--watch', '--follow', '--wait', '-w', '-f'].map((flag) => [
      `workflow run ${flag}`,
      'A run is followed to its end without a flag; --detach leaves it in the background.',
    ]),
  ),
};

/** The hint for a flag that `command` has not. */
export function flagHabit(command: string, flag: string, known: readonly string[]): string | undefined {
  const sentence = FLAG_SENTENCES[`${command} ${flag}`];
  if (sentence !== undefined) return sentence;
  const meant = (Object.hasOwn(FLAGS, flag) ? (FLAGS[flag] ?? []) : []).find((each) => known.includes(each));
  return meant === undefined ? undefined : `Did you mean --${meant}?`;
}

/** The hint for an argument too many: a value, or a step, that belongs behind a flag. */
export function argumentHabit(word: string, known: readonly string[]): string | undefined {
  const pairs = ['input', 'param'].find((each) => known.includes(each));
  if (pairs !== undefined && /^[^=\s]+=/.test(word)) return `Did you mean --${pairs} ${word}?`;
  return known.includes('step') && known.includes('stream') ? `Did you mean --step ${word}?` : undefined;
}
