import { sha256 } from '../audit/canonical.ts';

/**
 * How much later a fire starts, ms: from 0 up to `jitterMs`. The same for the same workflow and instant, whoever asks
 * and whenever, so that a restart draws no second time.
 */
export function jitterOf(workflow: string, at: number, jitterMs: number): number {
  if (jitterMs <= 0) return 0;
  const share = Number.parseInt(sha256(`${workflow}\n${at}`).slice(0, 12), 16) / 2 ** 48;
  return Math.floor(share * (jitterMs + 1));
}
