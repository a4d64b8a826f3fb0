import { WorkflowError } from '../errors/workflow-error.ts';

/** How long things are kept. Null = for ever. */
export interface UpkeepSettings {
  /** Ended instances are archived when they are older. */
  readonly archiveAfterMs: number | null;
  /** Archives go when they are older, more, or larger together. */
  readonly keepMs: number | null;
  readonly keepCount: number | null;
  readonly keepBytes: number | null;
  /** Sealed segments of the audit log are pruned when they are older. */
  readonly auditMs: number | null;
}

const DAY_MS = 24 * 3600 * 1000;
const NEVER = 'never';

/** Variable → what holds when it is not set. */
const DEFAULTS = {
  Q_WORKFLOW_ARCHIVE_DAYS: '30',
  Q_WORKFLOW_ARCHIVE_KEEP_DAYS: '365',
  Q_WORKFLOW_ARCHIVE_KEEP_COUNT: '10000',
  Q_WORKFLOW_ARCHIVE_KEEP_MB: '2048',
  Q_WORKFLOW_AUDIT_DAYS: NEVER,
} as const;

/** What a supervisor, and its service, take over from who starts them. */
export const UPKEEP_VARIABLES = Object.keys(DEFAULTS);

/** The settings by the environment. Throws USAGE. */
export function upkeepSettings(env: NodeJS.ProcessEnv): UpkeepSettings {
  const read = (name: keyof typeof DEFAULTS, unit: number): number | null => {
    const text = env[name] || DEFAULTS[name];
    if (text === NEVER) return null;
    if (/^\d{1,9}$/.test(text)) return Number(text) * unit;
    throw new WorkflowError('USAGE', `${name} is "${text}"; allowed: a whole number, ${NEVER}`, {
      hint: 'Mend or unset the variable.',
    });
  };
  return {
    archiveAfterMs: read('Q_WORKFLOW_ARCHIVE_DAYS', DAY_MS),
    keepMs: read('Q_WORKFLOW_ARCHIVE_KEEP_DAYS', DAY_MS),
    keepCount: read('Q_WORKFLOW_ARCHIVE_KEEP_COUNT', 1),
    keepBytes: read('Q_WORKFLOW_ARCHIVE_KEEP_MB', 1024 * 1024),
    auditMs: read('Q_WORKFLOW_AUDIT_DAYS', DAY_MS),
  };
}
