/** Agents of other makers that can do the work of an agent step: what this program has to know of each outside of it. */

export type OtherDriver = 'acp' | 'headless';

export interface AgentProfile {
  /** Found on the PATH of whoever runs the workflow, never in the workspace. */
  readonly program: string;
  readonly drivers: readonly OtherDriver[];
  /** All that it is given of the caller's variables beside what every step inherits: its key and its address. */
  readonly variables: readonly string[];
}

export const AGENT_PROFILES = {
  'kiro-cli': { program: 'kiro-cli', drivers: ['acp', 'headless'], variables: ['KIRO_API_KEY'] },
  'claude-agent-acp': {
    program: 'claude-agent-acp',
    drivers: ['acp'],
    variables: ['ANTHROPIC_API_KEY', 'ANTHROPIC_BASE_URL', 'ANTHROPIC_MODEL'],
  },
  gemini: {
    program: 'gemini',
    drivers: ['acp'],
    variables: ['GEMINI_API_KEY', 'GEMINI_MODEL', 'GOOGLE_GEMINI_BASE_URL'],
  },
  opencode: {
    program: 'opencode',
    drivers: ['acp'],
    variables: ['ANTHROPIC_API_KEY', 'OPENAI_API_KEY', 'GEMINI_API_KEY'],
  },
  codex: { program: 'codex-acp', drivers: ['acp'], variables: ['OPENAI_API_KEY', 'CODEX_API_KEY'] },
  q: {
    program: 'q',
    drivers: ['headless'],
    variables: [
      'AMAZON_Q_SIGV4',
      'AWS_ACCESS_KEY_ID',
      'AWS_SECRET_ACCESS_KEY',
      'AWS_SESSION_TOKEN',
      'AWS_REGION',
    ],
  },
} as const satisfies Readonly<Record<string, AgentProfile>>;

export type ProfileName = keyof typeof AGENT_PROFILES;

/** The variables of all profiles: what a caller sends along, for those that a run then needs. */
export const PROFILE_VARIABLES: readonly string[] = [
  ...new Set(Object.values(AGENT_PROFILES).flatMap(({ variables }) => variables)),
];
