import { WorkflowError } from '../../errors/workflow-error.ts';

const VARIABLE = 'Q_WORKFLOW_METRICS';
const LOOPBACK = /^(127(?:\.\d{1,3}){3}|\[::1\]|localhost):(\d{1,5})$/;

export interface MetricsAddress {
  readonly host: string;
  readonly port: number;
}

/** Where to serve metrics, by the variable; null when it is not set. Throws USAGE for what is not this machine alone. */
export function metricsAddress(env: NodeJS.ProcessEnv): MetricsAddress | null {
  const value = env[VARIABLE] ?? '';
  if (value === '') return null;
  const [, host = '', port = ''] = LOOPBACK.exec(value) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new WorkflowError('USAGE', `${VARIABLE} is "${value}"; it must be an address of this machine`, {
      hint: 'For example 127.0.0.1:9464; unset it to listen nowhere.',
    });
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/** Whether `host:port` names this machine and nothing else. */
export function isLoopback(hostAndPort: string): boolean {
  return LOOPBACK.test(hostAndPort);
}
