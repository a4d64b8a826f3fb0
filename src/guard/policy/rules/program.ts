import { posix } from 'node:path';
import { tableName } from '../../command/program-name.ts';

/** The name of a program without its folder. */
export function programName(program: string): string {
  return program.includes('/') ? posix.basename(program) : program;
}

/** Every name by which a rule may mean a program: without folder, case, `.exe`, version and the `g` of GNU. */
export function likelyNames(program: string): readonly string[] {
  const known = names.get(program);
  if (known !== undefined) return known;
  const name = programName(program)
    .toLowerCase()
    .replace(/\.exe$/, '');
  const plain = tableName(name);
  const found = plain === name ? [name] : [name, plain];
  if (names.size >= MAX_CACHED) names.clear();
  names.set(program, found);
  return found;
}

/** Each rule of a policy asks for the same few programs. */
const names = new Map<string, readonly string[]>();
const MAX_CACHED = 512;

/** Folders that only the system's administrator writes into. */
const SYSTEM_FOLDERS = ['/bin', '/sbin', '/usr/bin', '/usr/sbin', '/usr/local/bin', '/usr/local/sbin'];

/** The name of a program that is surely the one of that name: found by PATH, or in a folder of the system. */
export function sureName(program: string): string | null {
  if (!program.includes('/')) return program;
  const folder = posix.dirname(program);
  return SYSTEM_FOLDERS.includes(folder) ? posix.basename(program) : null;
}

/** What stands between a program and its subcommand, and how its words may be shortened. */
interface Grammar {
  /** Global options that take the next word. */
  readonly withValue: ReadonlySet<string>;
  /** Global options that change nothing a rule cares for. */
  readonly harmless: ReadonlySet<string>;
  /** True when a subcommand may be cut off: `npm pub`. */
  readonly isShortened: boolean;
}

const grammar = (withValue: string, harmless = '', isShortened = false): Grammar => ({
  withValue: new Set(withValue.split(' ')),
  harmless: new Set(harmless.split(' ')),
  isShortened,
});

const GRAMMARS: Readonly<Record<string, Grammar>> = {
  git: grammar(
    '-C -c --git-dir --work-tree --namespace --super-prefix --config-env --exec-path --attr-source --list-cmds',
    '--no-pager -P --no-optional-locks --literal-pathspecs --no-replace-objects',
  ),
  npm: grammar('--prefix -C --registry --workspace -w --userconfig --loglevel --cache', '--silent -s', true),
  pnpm: grammar('--dir -C --filter -F --registry --loglevel', '--silent -s'),
  yarn: grammar('--cwd --registry', '--silent -s'),
  docker: grammar('--config -c --context -H --host -l --log-level --tlscacert --tlscert --tlskey'),
  podman: grammar('--config --connection -c --log-level --root --runroot --url --identity'),
  kubectl: grammar(
    '--context --cluster --user --namespace -n --kubeconfig --server -s --token --as --as-group --request-timeout -v',
  ),
  helm: grammar('--kube-context --namespace -n --kubeconfig --registry-config --repository-config'),
  aws: grammar(
    '--profile --region --output --endpoint-url --query --ca-bundle --cli-read-timeout --cli-connect-timeout --color',
  ),
  gh: grammar('--repo -R --hostname'),
  gcloud: grammar('--project --account --configuration --format --verbosity'),
  terraform: grammar('-chdir'),
  cargo: grammar('--config --color -Z -C --manifest-path', '-q --quiet --locked --offline --frozen'),
  systemctl: grammar('-H --host -M --machine -t --type -p --property --root', '--no-pager'),
  ip: grammar('-n -netns -f -family -b -batch -rc -rcvbuf -l -loops', '', true),
  apt: grammar('-o -c -t --option --config-file --target-release'),
  'apt-get': grammar('-o -c -t --option --config-file --target-release'),
  make: grammar('-C -f -I -j -l -o -W --directory --file --makefile --include-dir'),
  go: grammar('-C'),
  svn: grammar('--username --password --config-dir --config-option'),
  hg: grammar('-R --repository --cwd --config --encoding', '', true),
};

export function grammarOf(program: string): Grammar | null {
  return Object.hasOwn(GRAMMARS, program) ? (GRAMMARS[program] ?? null) : null;
}
