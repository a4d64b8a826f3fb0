/** Files that decide what runs outside the sandbox, or who may do what: no agent writes them, whatever policies say. */
export interface GuardedFiles {
  readonly id: string;
  /** As in a rule's `path`; `${state}` and `${config}` stand for the folders of this machine too. */
  readonly globs: readonly string[];
  readonly access: 'write' | 'any';
  readonly reason: string;
}

export const GUARDED_FILES: readonly GuardedFiles[] = [
  {
    id: 'state',
    globs: ['${state}'],
    access: 'any',
    reason: 'the state folder holds the journal, the audit log, the secrets and the way to approve',
  },
  {
    id: 'policies',
    globs: ['/etc/q-workflow', '${config}', '**/.amazonq/policies', '**/.amazonq/q-workflow.json'],
    access: 'write',
    reason: 'policies and models are set by people',
  },
  {
    id: 'agents',
    globs: [
      '**/.amazonq/cli-agents',
      '**/.amazonq/agents',
      '**/.kiro/agents',
      '${home}/.aws/amazonq',
      '${home}/.kiro',
    ],
    access: 'write',
    reason: 'an agent file says which tools an agent has, and which hooks run',
  },
  {
    id: 'mcp',
    globs: [
      '**/.amazonq/mcp.json',
      '**/.kiro/settings',
      '**/.mcp.json',
      '**/.cursor/mcp.json',
      '**/.vscode/mcp.json',
    ],
    access: 'write',
    reason: 'programs named there are started as MCP servers (CVE-2026-12957)',
  },
  {
    id: 'hooks',
    globs: [
      '**/.amazonq/hooks',
      '**/.kiro/hooks',
      '**/.claude/settings*.json',
      '**/.claude/hooks',
      '**/.claude/commands',
      '**/.claude/agents',
      '**/.claude/skills',
      '**/.claude/plugins',
      '**/.cursor/hooks.json',
      '**/.gemini/settings.json',
      '**/.gemini/commands',
      '**/.gemini/extensions',
      '**/.codex/config.toml',
      '**/.codex/hooks.json',
      '**/.opencode/plugin',
      '**/.opencode/plugins',
      '**/.opencode/tool',
      '**/.opencode/command',
      '**/.husky',
      '**/.githooks',
    ],
    access: 'write',
    reason: 'commands named there run later, outside the sandbox (CVE-2025-59536)',
  },
  {
    id: 'prompts',
    globs: ['**/.amazonq/rules', '**/.amazonq/prompts', '**/.kiro/steering'],
    access: 'write',
    reason: 'they are read into every later conversation, also with more rights',
  },
  {
    id: 'workflows',
    globs: [
      '**/.amazonq/workflows',
      '**/.q-workflow',
      '**/.q-skills',
      '**/.amazonq/skills',
      '**/.kiro/skills',
    ],
    access: 'write',
    reason: 'workflows and skills run with the rights of a step, not of an agent',
  },
  {
    id: 'git',
    globs: ['**/.git', '**/git~1', '${home}/.gitconfig', '${home}/.config/git', '/etc/gitconfig'],
    access: 'write',
    reason: 'the configuration and hooks of git run commands with the next git command (CVE-2026-26268)',
  },
  {
    id: 'gitmodules',
    globs: ['**/.gitmodules'],
    access: 'write',
    reason: 'it makes git fetch from, and write to, places that nobody looked at',
  },
  {
    id: 'autoload',
    globs: [
      '**/.envrc',
      '**/.vscode/tasks.json',
      '**/.vscode/settings.json',
      '**/.vscode/launch.json',
      '**/.devcontainer',
      '**/*.code-workspace',
      '**/.idea/workspace.xml',
      '**/.idea/runConfigurations',
      '**/.run',
      '**/.zed/tasks.json',
      '**/.zed/settings.json',
      '**/.exrc',
      '**/.nvim.lua',
    ],
    access: 'write',
    reason: 'shells and editors run what it says as soon as the folder is entered',
  },
  {
    id: 'login',
    globs: [
      '${home}/.bashrc',
      '${home}/.bash_profile',
      '${home}/.bash_login',
      '${home}/.bash_logout',
      '${home}/.bash_aliases',
      '${home}/.profile',
      '${home}/.zshrc',
      '${home}/.zshenv',
      '${home}/.zprofile',
      '${home}/.zlogin',
      '${home}/.config/fish',
      '${home}/.config/systemd',
      '${home}/.config/autostart',
      '${home}/.local/bin',
      '${home}/bin',
      '${home}/.ssh',
      '${home}/.gnupg',
      '${home}/.npmrc',
      '${home}/.pip',
      '${home}/.config/pip',
      '${home}/.inputrc',
      '${home}/.vimrc',
      '/etc',
      '/var/spool/cron',
    ],
    access: 'write',
    reason: 'it is read or run when the user next logs in or calls a program',
  },
];

/** Those that the sandbox of agents keeps as they are, where they are there; a home may lie in the workspace, or be it. */
export function guardedPlaces(workspace: string, home: string): readonly string[] {
  const globs = GUARDED_FILES.flatMap((file) => file.globs);
  const below = (folder: string, prefix: string): string[] =>
    globs
      .flatMap((glob) => (glob.startsWith(prefix) ? [glob.slice(prefix.length)] : []))
      .flatMap((name) => IN_SANDBOX[name] ?? [name])
      .filter((name) => !name.includes('*'))
      .map((name) => `${folder}/${name}`);
  return [...below(workspace, '**/'), ...below(home, '${home}/')];
}

/** Where a name of the list is more than can be kept, or a pattern. */
const IN_SANDBOX: Readonly<Record<string, readonly string[]>> = {
  // Git's own commits go on.
  '.git': ['.git/config', '.git/config.worktree', '.git/hooks'],
  'git~1': [],
  '.claude/settings*.json': ['.claude/settings.json', '.claude/settings.local.json'],
};

/** Commands that write such files without naming them. A list is alternatives; see CommandFile. */
export const GUARDED_COMMANDS = [
  {
    id: 'git-config',
    command: { program: 'git', subcommand: ['config', 'hook'] },
    reason: 'the configuration of git runs commands; agents may only read it (git config --get)',
  },
  {
    id: 'git-places',
    command: {
      program: 'git',
      subcommand: [
        'remote add',
        'remote set-url',
        'remote rename',
        'remote remove',
        'remote rm',
        'submodule add',
        'submodule set-url',
        'maintenance start',
        'maintenance register',
      ],
    },
    reason: 'where git fetches from and pushes to is set by people',
  },
] as const;

/** `git config` that only reads. */
export const GIT_CONFIG_READS: ReadonlySet<string> = new Set(
  '--get --get-all --get-regexp --get-urlmatch --list -l get list'.split(' '),
);
