/** The cost of an audit row at a steady rate, through the writer thread with its group commit. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SUPERVISOR } from '../../src/audit/record.ts';
import { verifyAudit } from '../../src/audit/verify/verify.ts';
import { openWriter, type Request } from '../../src/store/writer.ts';
import { type Measure, median, timed } from './measure.ts';

/** Rows that share a commit: those of a busy moment. */
const GROUP = 64;
const ROWS = 4096;
const ROUNDS = 5;
const VERIFY_ROWS = 20_000;

const entry = (index: number) => ({
  type: 'step.completed',
  at: index,
  actor: SUPERVISOR,
  instance: 'bench00000',
  data: {
    path: `loop[${index}]/process`,
    attempt: 1,
    result: { sha256: 'a'.repeat(64), bytes: 512 },
    writes: [],
  },
});

/** The same texts in the same groups, in a plain table. */
function bare(file: string): () => void {
  const database = new DatabaseSync(file);
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE t (n INTEGER PRIMARY KEY, body TEXT)',
  );
  const insert = database.prepare('INSERT INTO t (body) VALUES (?)');
  return () => {
    for (let done = 0; done < ROWS; done += GROUP) {
      database.exec('BEGIN IMMEDIATE');
      for (let id = 0; id < GROUP; id += 1) insert.run(JSON.stringify(entry(done + id)));
      database.exec('COMMIT');
    }
  };
}

function append(writer: ReturnType<typeof openWriter>, rows: number): void {
  for (let done = 0; done < rows; done += GROUP) {
    const batch: Request[] = Array.from({ length: GROUP }, (_, id) => ({
      id,
      name: 'audit.append',
      args: { entries: [entry(done + id)] },
    }));
    writer.run(batch);
  }
}

export const auditRow: Measure = {
  name: 'audit',
  run: async () => {
    const folder = mkdtempSync(join(tmpdir(), 'q-bench-audit-'));
    const file = join(folder, 'q-workflow.db');
    try {
      const writer = openWriter(file, 'bench');
      append(writer, ROWS);
      const plain = bare(join(folder, 'plain.db'));
      const costs: number[] = [];
      const floors: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        floors.push((await timed(async () => plain())) / ROWS);
        costs.push((await timed(async () => append(writer, ROWS))) / ROWS);
      }
      append(writer, Math.max(0, VERIFY_ROWS - ROWS * (ROUNDS + 1)));
      const signing = await timed(async () => {
        writer.run([{ id: 1, name: 'audit.checkpoint', args: { at: 1 } }]);
      });
      writer.close();
      const options = {
        database: file,
        home: folder,
        keysFolder: join(folder, 'keys'),
        anchor: null,
        key: null,
      };
      let records = 0;
      const verifying = await timed(async () => {
        const report = verifyAudit({ ...options, from: 1, env: { Q_WORKFLOW_ANCHOR: join(folder, 'none') } });
        ({ records } = report);
        if (report.problem_count > 0) throw new Error(`the log is not whole: ${report.first_bad?.message}`);
      });
      return [
        {
          name: `audit row, ${GROUP} a commit, synced`,
          unit: 'ms',
          value: median(costs),
          floor: median(floors),
          floorIs: 'the same texts in a plain table',
          bar: { of: 'value', atMost: 0.1 },
          rounds: ROUNDS,
          note: `of ${ROWS} rows`,
        },
        {
          name: 'audit checkpoint, signed and synced',
          unit: 'ms',
          value: signing,
          floor: null,
          floorIs: '',
          bar: null,
          rounds: 1,
        },
        {
          name: 'audit verify, 1,000 records',
          unit: 'ms',
          value: (verifying / records) * 1000,
          floor: null,
          floorIs: '',
          bar: null,
          rounds: 1,
          note: `of ${records} records`,
        },
      ];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
};
