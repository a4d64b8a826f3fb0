import type { Argument } from '../reading.ts';

/** What makes a subcommand list what is there, where other words of it would change something. */
interface Lists {
  /** Options with which it lists still; any other may do something else. */
  readonly options: RegExp;
  /** With one of them operands say what is listed; without, they would be made or removed. */
  readonly picking?: RegExp;
  /** Its first word, where lists have one; `''`: none is needed. */
  readonly words?: readonly string[];
}

const SHOWN = '--sort=.*|--format=.*|--pretty=.*|--(?:no-)?(?:color|column)(?:=.*)?|--oneline';
const PICKED = '--list|--(?:no-)?merged|--(?:no-)?contains|--points-at';

const LISTS: Readonly<Record<string, Lists>> = {
  branch: {
    options: new RegExp(
      `^(?:${SHOWN}|${PICKED}|-a|-r|-av|-vv?|--all|--remotes|--verbose|--show-current|--abbrev=.*)$`,
    ),
    picking: new RegExp(`^(?:${PICKED})$`),
  },
  tag: {
    options: new RegExp(`^(?:${SHOWN}|${PICKED}|-l|-n\\d*)$`),
    picking: new RegExp(`^(?:${PICKED}|-l|-n\\d*)$`),
  },
  remote: { options: /^(?:-v|--verbose|--all|--push)$/, picking: /^get-url$/, words: ['', 'get-url'] },
  stash: {
    options: new RegExp(`^(?:${SHOWN}|-\\d+|-n\\d*|-p|-u|--stat|--name-only|--name-status|--date=.*)$`),
    picking: /^(?:list|show)$/,
    words: ['list', 'show'],
  },
  worktree: { options: /^(?:-v|-z|--verbose|--porcelain)$/, words: ['list'] },
  reflog: {
    options: new RegExp(`^(?:${SHOWN}|-\\d+|-n\\d*|--all|--date=.*)$`),
    picking: /^show$/,
    words: ['', 'show'],
  },
};

/** True for `git branch`, `git tag -l`, `git stash list` and their like, with options that we know to change nothing. */
export function onlyLists(subcommand: string, args: readonly Argument[]): boolean {
  const lists = Object.hasOwn(LISTS, subcommand) ? LISTS[subcommand] : undefined;
  if (lists === undefined) return false;
  const { options, picking, words = [''] } = lists;
  const [first = null] = args;
  const word = first !== null && first !== '' && words.includes(first) ? first : '';
  if (!words.includes(word)) return false;
  const rest = word === '' ? args : args.slice(1);
  if (!rest.every((arg) => arg !== null && (!arg.startsWith('-') || options.test(arg)))) return false;
  const isPicked = picking !== undefined && args.some((arg) => arg !== null && picking.test(arg));
  return isPicked || rest.every((arg) => arg?.startsWith('-') === true);
}
