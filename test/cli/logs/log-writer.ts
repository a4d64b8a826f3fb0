/** usage: node log-writer.ts FOLDER LINES PART_BYTES – writes numbered lines as fast as it can, for log-cursor.proc.test.ts */
import { openStepLog } from '../../../src/instance/step-log.ts';

const [folder = '', lines = '0', partBytes = '0'] = process.argv.slice(2);
const log = await openStepLog(folder, 'step-1-1', 'a', 1, new AbortController().signal, Number(partBytes));
for (let number = 1; number <= Number(lines); number += 1)
  await log.write(number % 2 === 0 ? 'stdout' : 'stderr', Buffer.from(`${number}\n`));
log.close();
