import { readSecret } from '../../agents/model/keys.ts';
import { addressProblem } from '../../agents/model/model-address.ts';
import type { KeySource } from '../../agents/model/model-spec.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { type PostOutcome, postJson } from '../watching/http-post.ts';
import type { Notification } from './notification.ts';
import { runCommand } from './run-command.ts';
import type { Target, Webhook } from './targets.ts';

/** Tells a target once. Never rejects. */
export type Deliver = (
  target: Target,
  notification: Notification,
  signal: AbortSignal,
) => Promise<PostOutcome>;

/** Secrets are read for each delivery, and kept nowhere. */
export function createDeliver(secretsFolder: string, env: NodeJS.ProcessEnv): Deliver {
  const resolved = (source: KeySource): string => {
    const value = 'env' in source ? (env[source.env] ?? '') : readSecret(secretsFolder, source.secret);
    if (value !== '') return value;
    throw new Error(
      'env' in source
        ? `the variable ${source.env} is not set`
        : `the secret "${source.secret}" is not stored`,
    );
  };
  const addressOf = ({ url }: Webhook): URL => {
    const address = typeof url === 'string' ? url : resolved(url);
    // Not the problem itself: it quotes the address.
    if (addressProblem(address, true) !== null) throw new Error('the address is none, or not https');
    return new URL(address);
  };
  return async ({ means, timeoutMs }, notification, signal) => {
    if (means.kind === 'command')
      return runCommand(means.argv, `${JSON.stringify(notification)}\n`, timeoutMs, signal);
    try {
      const headers = means.headers.map(
        ({ name, prefix, value }) => [name, prefix + resolved(value)] as const,
      );
      return await postJson({
        url: addressOf(means),
        headers: Object.fromEntries(headers),
        body: JSON.stringify(
          means.format === 'slack' ? { text: slackText(notification.text) } : notification,
        ),
        timeoutMs,
        signal,
      });
    } catch (error) {
      return { kind: 'failed', why: ensureError(error).message, isFinal: true };
    }
  };
}

/** https://docs.slack.dev/messaging/formatting-message-text: nobody is called by the words of a failed step. */
function slackText(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
