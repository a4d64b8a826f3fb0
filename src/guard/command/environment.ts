/**
 * Names that programs take as a matter of taste: language, colour, width, verbosity. Any other variable that is passed
 * to a program may name a file it loads, a program it starts or a server it trusts; a list of the bad ones has no end.
 */
const HARMLESS = new Set([
  'LANG',
  'LANGUAGE',
  'TZ',
  'TERM',
  'COLUMNS',
  'LINES',
  'NO_COLOR',
  'FORCE_COLOR',
  'CLICOLOR',
  'CLICOLOR_FORCE',
  'COLORTERM',
  'CI',
  'DEBIAN_FRONTEND',
  'NODE_ENV',
  'RUST_BACKTRACE',
  'RUST_LOG',
  'PYTHONUNBUFFERED',
  'PYTHONDONTWRITEBYTECODE',
  'PYTHONHASHSEED',
  'SOURCE_DATE_EPOCH',
]);
const HARMLESS_LOCALE = /^LC_[A-Z]+$/;

/** Variables that bash itself obeys, or that are in nearly every environment and so reach programs without `export`. */
const OBEYED = new Set([
  'BROWSER',
  'CDPATH',
  'COLUMNS',
  'CWD',
  'EDITOR',
  'ENV',
  'EXECIGNORE',
  'FCEDIT',
  'FIGNORE',
  'FPATH',
  'FUNCNEST',
  'GLOBIGNORE',
  'HOME',
  'HOSTALIASES',
  'IFS',
  'INPUTRC',
  'LOCPATH',
  'LOGNAME',
  'MAIL',
  'MAILPATH',
  'MANPATH',
  'NLSPATH',
  'OLDPWD',
  'OPTIND',
  'PAGER',
  'PATH',
  'POSIXLY_CORRECT',
  'PROMPT_COMMAND',
  'PROMPT_DIRTRIM',
  'PS0',
  'PS1',
  'PS2',
  'PS3',
  'PS4',
  'PWD',
  'SHELL',
  'SHELLOPTS',
  'SHLVL',
  'TERMINFO',
  'TEXTDOMAIN',
  'TEXTDOMAINDIR',
  'TMP',
  'TEMP',
  'TMPDIR',
  'TMOUT',
  'USER',
  'VISUAL',
]);
const OBEYED_FAMILY =
  /^(?:BASH|LD_|DYLD_|GIT_|SSH_|GPG_|NODE_|NPM_|npm_|PYTHON|PERL|RUBY|GEM_|BUNDLE_|JAVA|JDK_|_JAVA|CARGO|RUST|GO[A-Z]|AWS_|AZURE|GOOGLE|KUBE|DOCKER|XDG_|LESS|MAN|HIST|READLINE|COMP_|MALLOC_|GCONV|GLIBC|OPENSSL|SSL_|CURL_|MAKE|Q_WORKFLOW)|(?:_proxy|_PROXY|_PATH|PATH|_OPTIONS|_OPTS|_PRELOAD|_COMMAND|_PAGER|_EDITOR|_RSH|_ASKPASS)$/;

/**
 * Whether a value is text that runs commands once something expands it: arithmetic, a prompt, `eval`, or the
 * assignment of `declare -a x='($(…))'`.
 */
export function holdsCode(value: string): boolean {
  return /[$<>]\(|\$\{|`/.test(value);
}

/** A hazard when a shell variable of this name changes what later commands mean, else null. */
export function judgeAssignment(name: string): string | null {
  if (isHarmless(name)) return null;
  if (!OBEYED.has(name) && !OBEYED_FAMILY.test(name)) return null;
  return `sets ${name}, which changes what commands mean`;
}

/** A hazard when a program is given the variable, unless it is one of the few that change no meaning. */
export function judgePassed(name: string): string | null {
  return isHarmless(name) ? null : `passes ${name} to a program`;
}

function isHarmless(name: string): boolean {
  return HARMLESS.has(name) || HARMLESS_LOCALE.test(name);
}
