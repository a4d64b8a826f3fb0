/** The policies that `second-look.jsonl` and the looks after it try: shipped ones by name, and what users would write. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyFile, RuleFile } from '../../../src/guard/policy/files/policy-file.ts';
import { type PolicySet, policySet } from '../../../src/guard/policy/files/policy-set.ts';
import { GUARD, loadText, setOf } from '../../setup/policies.ts';

const SHIPPED: Readonly<Record<string, string>> = {
  default: 'default',
  ro: 'read-only',
  edit: 'workspace-edit',
  ci: 'ci',
};

const only = (rule: Omit<RuleFile, 'effect'>): PolicyFile => ({
  default: 'deny',
  rules: [{ effect: 'allow', ...rule }],
});
const commands = (...command: string[]): PolicyFile => only({ tool: ['execute_bash', 'exec'], command });
const allBut = (rule: Omit<RuleFile, 'effect'>): PolicyFile => ({
  default: 'allow',
  rules: [{ effect: 'deny', ...rule }],
});

const FILES: Readonly<Record<string, PolicyFile>> = {
  'allow git status': commands('git status'),
  'allow ls,cat,echo,grep,find,sort': commands('ls', 'cat', 'echo', 'grep', 'find', 'sort', 'head'),
  'allow npm test': commands('npm test'),
  'allow make': commands('make'),
  'allow npm run': commands('npm run'),
  'allow pytest': commands('pytest'),
  'allow go test': commands('go test'),
  'allow cargo test': commands('cargo test'),
  'allow docker ps': commands('docker ps'),
  'allow kubectl get': commands('kubectl get'),
  'allow tar,sed,awk,find': commands(
    ...'tar sed awk find xargs rsync curl ssh'.split(' '),
    ...['git log', 'git fetch', 'git diff'],
  ),
  'glob git *': commands('git *'),
  'allow node build.js': commands('node build.js', 'python3 -m pytest'),
  'deny rm': allBut({ command: 'rm' }),
  'deny sudo': allBut({ command: 'sudo' }),
  'deny curl': allBut({ command: ['curl', 'wget'] }),
  'deny push': allBut({ command: 'git push' }),
  'deny push -f': allBut({ command: { program: 'git', subcommand: 'push', args: ['--force', '-f'] } }),
  'deny npm publish': allBut({ command: 'npm publish' }),
  'deny rm -rf': allBut({ command: { program: 'rm', args: { all: ['-r', '-f'] } } }),
  'deny write .env': allBut({ tool: 'fs_write', path: '**/.env' }),
  'deny read .env': allBut({ tool: 'fs_read', path: '**/.env' }),
  'deny host': allBut({ host: 'evil.com' }),
  'allow host': only({ tool: ['http_fetch', 'execute_bash'], host: 'good.com' }),
  'allow host*': only({ tool: ['http_fetch', 'execute_bash'], host: '*.good.com' }),
  'allow curl host': only({ command: 'curl', host: 'good.com' }),
  'allow bash in workspace': only({ tool: 'execute_bash', path: { within: '${workspace}' } }),
  'allow read src': only({ tool: 'fs_read', path: { within: '${workspace}/src' } }),
  'allow cat src': only({
    tool: 'execute_bash',
    command: 'cat grep cp ls sort diff ln head tar find rsync wc du tail sed awk jq'.split(' '),
    path: { within: '${workspace}/src' },
  }),
  when: only({ tool: 'execute_bash', when: "args.command == 'ls'" }),
  'when deny': allBut({ tool: 'execute_bash', when: "args.command.contains('rm ')" }),
  schema: only({
    tool: 'http_fetch',
    args: { type: 'object', properties: { method: { enum: ['GET'] } }, required: ['method'] },
  }),
  'deny tool fs_write': allBut({ tool: 'fs_write' }),
  'deny execute_bash': allBut({ tool: 'execute_bash' }),
  'allow @git/status': only({ tool: '@git/status' }),
  'deny @git': allBut({ tool: '@git' }),
  'deny secrets': allBut({ path: ['/etc/**', '~/.ssh/**'] }),
  'allow all': { default: 'allow', rules: [] },
  'p: w src/**': {
    default: 'deny',
    rules: [
      { effect: 'allow', tool: 'fs_write', path: 'src/**' },
      { effect: 'allow', tool: 'execute_bash', command: 'echo' },
    ],
  },
  'p: deny w *.env': allBut({ tool: 'fs_write', path: '*.env' }),
  'p: except': only({
    tool: 'fs_read',
    path: { within: '${workspace}', except: ['secret/**', '**/*.key', 'secret'] },
  }),
  'p: deny cp /etc': allBut({ command: 'cp', path: '/etc/**' }),
  'p: deny ports': allBut({ host: { ports: [22, 25] } }),
  'p: deny private': allBut({
    host: { classes: ['loopback', 'private', 'link-local', 'metadata', 'unspecified'] },
  }),
  'p: deny any host': allBut({ host: '*' }),
  'p: args deny': allBut({
    tool: 'use_aws',
    args: { type: 'object', properties: { operation_name: { pattern: '^delete' } } },
  }),
  'p: mcp glob': only({ tool: '@fs/read_*' }),
  'p: when svc': allBut({ tool: 'use_aws', when: "args.service_name == 'iam'" }),
  'p: deny spawn': allBut({ tool: 'spawn:dep*' }),
  'p: cmd list': commands(
    'git status',
    'git diff',
    'git log',
    'npm run lint',
    'npm run test:*',
    'ls',
    'cat README.md',
  ),
};

export async function policyNamed(name: string): Promise<PolicySet> {
  const shipped = SHIPPED[name];
  if (shipped === undefined) {
    // `s: git push --force` denies that, `s: allow ls -la` allows that alone.
    const [, effect, command] = /^s: (allow )?(.*)$/.exec(name) ?? [];
    const file =
      command === undefined ? FILES[name] : effect === undefined ? allBut({ command }) : commands(command);
    if (file === undefined) throw new Error(`no policy ${name}`);
    return setOf(file);
  }
  const text = readFileSync(join(import.meta.dirname, '../../../policies', `${shipped}.json`), 'utf8');
  return policySet([(await loadText(text, shipped)).policy], GUARD);
}

/** One attempt: under which policies, what has to be decided, and a shell command or a call. */
export interface Attempt {
  readonly policies: readonly string[];
  readonly expected: 'allow' | 'not allow' | 'deny';
  readonly tool: string;
  readonly args: Record<string, never>;
}

export function attempts(workspace: string): readonly Attempt[] {
  const texts = ['second-look.jsonl', 'third-look.jsonl', 'fourth-look.jsonl'].map((name) =>
    readFileSync(join(import.meta.dirname, name), 'utf8'),
  );
  return texts
    .join('')
    .trim()
    .split('\n')
    .map((line): Attempt => {
      const filled = line.replaceAll('${workspace}', () => workspace);
      const [policies, expected, call] = JSON.parse(filled) as [string, Attempt['expected'], unknown];
      const [tool, args] = Array.isArray(call) ? call : ['execute_bash', { command: call }];
      return { policies: policies.split('; '), expected, tool, args };
    });
}
