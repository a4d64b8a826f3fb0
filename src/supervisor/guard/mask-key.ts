import { randomBytes } from 'node:crypto';
import { constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { writeDurably } from '../../protocol/durable-file.ts';
import type { Home } from '../../protocol/home.ts';

/**
 * The key by which secrets are masked in what is written (hex, 32 bytes); made at the first start. One that was lost
 * is made anew: older masks cannot be compared with newer ones then. Throws HOME_UNWRITABLE for one that is damaged.
 */
export function openMaskKey(home: Home): string {
  const file = join(home.keysFolder, 'mask.key');
  try {
    const text = readFileSync(file, {
      encoding: 'utf8',
      flag: constants.O_RDONLY | constants.O_NOFOLLOW,
    }).trim();
    if (/^[0-9a-f]{64}$/.test(text)) return text;
    throw new WorkflowError('HOME_UNWRITABLE', `${file} holds no key`, {
      hint: 'Move it away: a new one is made then, and older masks cannot be compared with newer ones.',
    });
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
  const key = randomBytes(32).toString('hex');
  writeDurably(file, `${key}\n`);
  return key;
}
