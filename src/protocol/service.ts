/** What a supervisor, its unit and the commands agree on. */

/** Who started a supervisor and starts it again when it dies. */
export interface ServiceFacts {
  readonly manager: 'systemd' | 'launchd';
  /** Of the whole machine, or of one user. */
  readonly scope: 'system' | 'user';
  /** The unit's name, or launchd's label. */
  readonly unit: string;
}

/** Set by our own units, so that a supervisor need not guess its name: `user/q-workflow.service`. */
export const UNIT_VARIABLE = 'Q_WORKFLOW_UNIT';
export const ON_STOP_VARIABLE = 'Q_WORKFLOW_ON_STOP';
export const DRAIN_VARIABLE = 'Q_WORKFLOW_DRAIN_SECONDS';

/** Name of the environment, such as production, whose policy files count for the runs of a supervisor. */
export const ENVIRONMENT_VARIABLE = 'Q_WORKFLOW_ENVIRONMENT';

/** What becomes of running instances at SIGTERM: they go on alone, or are waited for first. */
export const ON_STOP = ['leave', 'drain'] as const;
export type OnStop = (typeof ON_STOP)[number];

/** How long `drain` waits when nothing is said. */
export const DRAIN_DEFAULT_S = 120;
