/**
 * A writer that appends records in batches for ever, signs now and then, and says on stdout, after each commit, up to
 * which record it has acknowledged. The test kills it. usage: node writing-child.ts DATABASE
 */
import { writeSync } from 'node:fs';
import { SUPERVISOR } from '../../src/audit/record.ts';
import { openWriter, type Request } from '../../src/store/writer.ts';

const [file = ''] = process.argv.slice(2);
const writer = openWriter(file, 'boot');
for (let turn = 0; ; turn += 1) {
  const batch: Request[] = Array.from({ length: 1 + (turn % 7) }, (_, id) => ({
    id,
    name: 'audit.append',
    args: { entries: [{ type: 'test', at: turn, actor: SUPERVISOR, instance: null, data: { turn, id } }] },
  }));
  if (turn % 5 === 4) batch.push({ id: batch.length, name: 'audit.checkpoint', args: { at: turn } });
  writer.run(batch);
  writeSync(1, `${writer.takeProgress().seq}\n`);
}
