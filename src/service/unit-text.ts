import { WorkflowError } from '../errors/workflow-error.ts';
import { MARK, type ServiceSpec } from './spec.ts';

/** A loop that is blocked for so long is ended, its instances go on. */
const WATCHDOG_S = 30;
/** A start takes a second; taking over some thousand runs from a slow disk takes longer. */
const START_TIMEOUT_S = 300;
const LEAVE_TIMEOUT_S = 45;
/** Since then the delay of a restart may grow. */
const RESTART_STEPS_SINCE = 254;

/**
 * The unit of a supervisor. What is not in it, and why: everything that gives the service a view of its own of the
 * file system (`ProtectSystem=`, `PrivateTmp=`, …), as instances inherit it and their sandboxes could no longer mount
 * /proc; `NoNewPrivileges=` and what implies it for a user's units, as bwrap's own profile could not be entered;
 * `UMask=`, as steps write into workspaces.
 */
export function unitText(spec: ServiceSpec): string {
  const isSystem = spec.scope === 'system';
  const stop = LEAVE_TIMEOUT_S + (spec.onStop === 'drain' ? spec.drainSeconds : 0);
  return [
    `# ${MARK}`,
    '[Unit]',
    'Description=Supervisor of q workflow',
    // A user's systemd knows nothing of what the machine's mounts.
    ...(isSystem
      ? [`RequiresMountsFor=${[spec.home.folder, ...spec.command.filter(isPath)].map(quoted).join(' ')}`]
      : []),
    '# Never give up: runs wait for it.',
    'StartLimitIntervalSec=0',
    '',
    '[Service]',
    ...(spec.canNotify
      ? [
          'Type=notify',
          '# systemd-notify speaks, a child of the main process.',
          'NotifyAccess=all',
          `WatchdogSec=${WATCHDOG_S}`,
        ]
      : ['Type=exec']),
    `ExecStart=${spec.command.map(commandWord).join(' ')}`,
    'ExecReload=/bin/kill -HUP $MAINPID',
    ...Object.entries(spec.environment).map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`),
    'WorkingDirectory=/',
    'Restart=always',
    'RestartSec=1',
    ...(spec.managerVersion >= RESTART_STEPS_SINCE ? ['RestartSteps=6', 'RestartMaxDelaySec=60'] : []),
    `TimeoutStartSec=${START_TIMEOUT_S}`,
    `TimeoutStopSec=${stop}`,
    '# Instances are in scopes of their own. Where those cannot be made, these keep them alive beside the main process.',
    'KillMode=process',
    'Delegate=yes',
    'OOMPolicy=continue',
    'TasksMax=infinity',
    '# The watchdog ends by SIGABRT: memory holds what runs were given.',
    'LimitCORE=0',
    ...(isSystem
      ? [
          'OOMScoreAdjust=-900',
          'CapabilityBoundingSet=~CAP_SYS_BOOT CAP_SYS_MODULE CAP_SYS_RAWIO CAP_SYS_TIME CAP_WAKE_ALARM CAP_SYS_PACCT',
        ]
      : []),
    '',
    '[Install]',
    `WantedBy=${isSystem ? 'multi-user.target' : 'default.target'}`,
    '',
  ].join('\n');
}

function isPath(word: string): boolean {
  return word.startsWith('/');
}

/** A word of a command line, where `$` stands for variables. */
function commandWord(word: string): string {
  return quoted(word).replaceAll('$', '$$$$');
}

/** Quoted after systemd.syntax(7): a percent sign begins a specifier, a backslash an escape. */
function quoted(text: string): string {
  if (/[\x00-\x1f\x7f]/.test(text))
    throw new WorkflowError('USAGE', `a service cannot be given ${JSON.stringify(text)}`, {
      hint: 'Install from an environment and folder without control characters in their names.',
    });
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%');
  return /^[\w@%+=:,./~-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
