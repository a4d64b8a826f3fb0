/** How each agent of another maker is started as an ACP agent, and what makes it ask before it acts. */
import { join } from 'node:path';
import type { JsonObject } from '../../definition/workflow.ts';
import { AGENT_PROFILES, type ProfileName } from '../../protocol/agent-profiles.ts';

export interface AcpProfile {
  readonly name: ProfileName;
  readonly args: readonly string[];
  /** The session mode in which it asks; null where its configuration alone says so. */
  readonly mode: string | null;
  /** It says that a call runs before it asks. */
  readonly marksBeforeAsking: boolean;
  /** What `session/new` gets besides. */
  readonly session: JsonObject;
  /** Variables of its own, by its private home. */
  environment(home: string): Readonly<Record<string, string>>;
  /** Files of its private home: path → content. */
  readonly files: Readonly<Record<string, string>>;
}

type Parts = Partial<Omit<AcpProfile, 'name'>> & Pick<AcpProfile, 'mode'>;

function profile(name: ProfileName, parts: Parts): AcpProfile {
  return {
    name,
    args: [],
    marksBeforeAsking: false,
    session: {},
    environment: () => ({}),
    files: {},
    ...parts,
  };
}

const KIRO_AGENT = 'q-workflow';

const PROFILES: Readonly<Record<string, AcpProfile>> = {
  // The modes of kiro-cli are its agents; ours has all tools and trusts none, so it asks for each.
  'kiro-cli': profile('kiro-cli', {
    args: ['acp', '--agent', KIRO_AGENT],
    mode: KIRO_AGENT,
    environment: (home) => ({ KIRO_HOME: join(home, '.kiro') }),
    files: {
      [`.kiro/agents/${KIRO_AGENT}.json`]: json({
        name: KIRO_AGENT,
        description: 'A step of a workflow.',
        tools: ['*'],
        allowedTools: [],
      }),
    },
  }),
  // It starts in the mode auto. The settings of a project could add rules that allow: none are read.
  'claude-agent-acp': profile('claude-agent-acp', {
    mode: 'default',
    session: { _meta: { claudeCode: { options: { settingSources: [] } } } },
    environment: (home) => ({ CLAUDE_CONFIG_DIR: join(home, '.claude') }),
  }),
  gemini: profile('gemini', {
    args: ['--acp'],
    mode: 'default',
    files: { '.gemini/settings.json': json({ security: { auth: { selectedType: 'gemini-api-key' } } }) },
  }),
  opencode: profile('opencode', {
    args: ['acp'],
    mode: 'build',
    marksBeforeAsking: true,
    environment: (home) => ({
      OPENCODE_PERMISSION: json({ '*': 'ask' }),
      XDG_CONFIG_HOME: join(home, '.config'),
      XDG_DATA_HOME: join(home, '.local', 'share'),
      XDG_STATE_HOME: join(home, '.local', 'state'),
      XDG_CACHE_HOME: join(home, '.cache'),
    }),
  }),
  // Its modes set another approval policy: the one in which it asks is in its configuration only.
  codex: profile('codex', {
    mode: null,
    environment: (home) => ({ CODEX_HOME: join(home, '.codex') }),
    files: { '.codex/config.toml': 'approval_policy = "untrusted"\nsandbox_mode = "read-only"\n' },
  }),
};

/** The profile of that name; null when it does not speak the protocol. */
export function acpProfile(name: ProfileName): AcpProfile | null {
  return Object.hasOwn(PROFILES, name) && hasAcp(name) ? (PROFILES[name] ?? null) : null;
}

function hasAcp(name: ProfileName): boolean {
  const { drivers } = AGENT_PROFILES[name];
  return drivers.some((driver) => driver === 'acp');
}

function json(value: JsonObject): string {
  return JSON.stringify(value);
}
