/** What a start of the supervisor makes of an anchor, however long it grew. */
import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { anchorHead, anchorLine, parseAnchor } from '../../src/audit/anchor.ts';
import { type Checkpoint, checkpointDigest, signCheckpoint } from '../../src/audit/checkpoint.ts';
import { type AuditKey, makeKey } from '../../src/audit/keys.ts';
import { type AnchorKeeper, openAnchorKeeper } from '../../src/supervisor/audit/anchor-keeper.ts';
import type { SupervisorContext } from '../../src/supervisor/context.ts';

const LOG = '00000000-0000-4000-8000-000000000001';
const OTHER = '00000000-0000-4000-8000-000000000002';
/** 1.2 MB of anchor, a day of a workflow each minute. */
const MANY = 3000;

describe('an anchor at the start of a supervisor', () => {
  let folder: string;
  let file: string;
  let key: AuditKey;
  let all: Checkpoint[];
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-anchor-keeper-'));
    file = join(folder, 'anchor.jsonl');
    key = makeKey(join(folder, 'keys'), LOG);
    all = [];
    for (let number = 1; number <= MANY; number += 1) {
      const last = all.at(-1);
      const previous = last === undefined ? null : checkpointDigest(last);
      all.push(signCheckpoint({ log: LOG, number, seq: number * 10, hash: 'h', at: 1, previous }, key));
    }
  });
  after(() => rmSync(folder, { recursive: true }));

  const lines = (to: number, from = 0): string => all.slice(from, to).map(anchorLine).join('');
  const head = (log = LOG, publicKey = key.publicKey): string => anchorHead(log, publicKey, folder, 1);

  /** Opens the keeper over a database that has `count` checkpoints; answers how many rows of it were read. */
  const open = async (
    count = MANY,
    excuses = 0,
    /** The first one that pruning left. */
    from = 1,
    /** Where the database knows it to be. */
    anchor: string | null = file,
  ): Promise<{ keeper: AnchorKeeper; rows: number; recorded: unknown[]; text: string; noted: string[] }> => {
    let rows = 0;
    const recorded: unknown[] = [];
    /** What was in the file when the database was told of it. */
    const noted: string[] = [];
    const calls: Record<string, (args: never) => unknown> = {
      'audit.about': () => ({
        log: LOG,
        seq: count * 10,
        hash: 'h',
        publicKey: key.publicKey,
        anchor,
        checkpoint: all[count - 1] ?? null,
      }),
      'audit.checkpoints': ({ after: number, limit }: { after: number; limit: number }) => {
        const page = all
          .slice(Math.max(number, from - 1))
          .filter((each) => each.number <= count)
          .slice(0, limit);
        rows += page.length;
        return page;
      },
      'audit.append': ({ entries }: { entries: { type: string; data: Record<string, unknown> }[] }) => {
        recorded.push(...entries.map(({ type, data }) => [type, data['fault']]));
      },
      'audit.read': () => ({ rows: Array.from({ length: excuses }) }),
      'audit.set_anchor': () => void noted.push(readFileSync(file, 'utf8')),
    };
    const context = {
      home: { folder },
      log: { error: () => undefined },
      now: () => 1,
      store: { call: async (name: string, args: never) => calls[name]?.(args) },
    } as unknown as SupervisorContext;
    const keeper = await openAnchorKeeper(context, { Q_WORKFLOW_ANCHOR: file });
    return { keeper, rows, recorded, text: readFileSync(file, 'utf8'), noted };
  };

  test('a long one is read at its ends alone, and so is the table', async () => {
    writeFileSync(file, head() + lines(MANY));
    const { keeper, rows, recorded, text } = await open();
    assert.deepEqual([keeper.problem, recorded, keeper.signedThrough], [null, [], MANY * 10]);
    assert.equal(text, head() + lines(MANY));
    assert.ok(rows < 500, `${rows} of ${MANY} rows`);
  });

  test('a crash left it one behind: it is brought up, and nothing is said', async () => {
    writeFileSync(file, head() + lines(MANY - 1));
    const { recorded, text } = await open();
    assert.deepEqual([recorded, text], [[], head() + lines(MANY)]);
  });

  test('a line that a crash cut is followed by the whole one', async () => {
    const cut = anchorLine(all[MANY - 1] as Checkpoint).slice(0, 50);
    writeFileSync(file, head() + lines(MANY - 1) + cut);
    const { recorded, text } = await open();
    assert.deepEqual([recorded, text], [[], `${head()}${lines(MANY - 1)}${cut}\n${lines(MANY, MANY - 1)}`]);
  });

  test('its end is gone: recorded, and written again however much it is', async () => {
    writeFileSync(file, head() + lines(1200));
    const { keeper, recorded, text } = await open();
    assert.deepEqual(recorded, [['audit.anchor_fault', 'cut']]);
    assert.match(String(keeper.problem), /has lost its end.*q workflow audit verify/);
    assert.equal(text, head() + lines(MANY));
    writeFileSync(file, head() + lines(1200));
    assert.deepEqual((await open(MANY, 1)).recorded, [], 'it could not be written, and that is recorded');
  });

  test('its end is gone, and that of the table was pruned: it is cut, not ahead of it', async () => {
    writeFileSync(file, head() + lines(1200));
    const { recorded, text } = await open(MANY, 0, 2000);
    assert.deepEqual(recorded, [['audit.anchor_fault', 'cut']]);
    assert.equal(text, head() + lines(1200) + lines(MANY, 1999));
  });

  test('a line of its end was changed: recorded', async () => {
    const whole = lines(MANY);
    const at = whole.length - 3000;
    writeFileSync(file, head() + whole.slice(0, at) + (whole[at] === '1' ? '2' : '1') + whole.slice(at + 1));
    assert.deepEqual((await open()).recorded, [['audit.anchor_fault', 'damaged']]);
  });

  test('the database lost its end: recorded, and nothing is written twice', async () => {
    writeFileSync(file, head() + lines(MANY));
    const { recorded, text } = await open(MANY - 2);
    assert.deepEqual(recorded, [['audit.anchor_fault', 'ahead']]);
    assert.equal(text, head() + lines(MANY));
  });

  test('the first start has it begun before the database knows of it: killed between them, nothing is missed', async () => {
    rmSync(file, { force: true });
    const { recorded, text, noted } = await open(0, 0, 1, null);
    assert.deepEqual([recorded, text, noted], [[], head(), [head()]]);
    // Killed before the database was told.
    assert.deepEqual((await open(0, 0, 1, null)).recorded, []);
    // Killed when the file was made and nothing was in it.
    writeFileSync(file, '');
    assert.deepEqual((await open(0, 0, 1, null)).recorded, []);
  });

  test('it comes along to a new place, also where a crash kept some of it from coming, and behind another log', async () => {
    const old = join(folder, 'old.jsonl');
    const whole = head() + lines(MANY);
    writeFileSync(old, whole);
    const other = head(OTHER);
    for (const there of ['', head(), whole.slice(0, -1000), other, whole]) {
      writeFileSync(file, there);
      const { recorded, text } = await open(MANY, 0, 1, old);
      assert.deepEqual(recorded, []);
      assert.equal(text.startsWith(there), true);
      assert.deepEqual(parseAnchor(text, LOG, () => true).badLines, []);
      assert.equal(parseAnchor(text, LOG, () => true).checkpoints.length, MANY);
    }
    // What else is there is for the judge.
    writeFileSync(file, lines(3));
    assert.deepEqual((await open(MANY, 0, 1, old)).recorded, [['audit.anchor_fault', 'missing']]);
    rmSync(old);
  });

  test('it is gone: recorded, and all of it is written again', async () => {
    rmSync(file, { force: true });
    const { recorded, text } = await open();
    assert.deepEqual(recorded, [['audit.anchor_fault', 'missing']]);
    assert.equal(text, head() + lines(MANY));
  });

  test('another log wrote the end of a file that they share, or another key its beginning', async () => {
    const foreign = makeKey(join(folder, 'keys'), OTHER);
    const parts = { seq: 1, hash: 'h', at: 1, previous: null } as const;
    const others = Array.from({ length: 500 }, (_, index) =>
      anchorLine(signCheckpoint({ ...parts, log: OTHER, number: index + 1 }, foreign)),
    ).join('');
    const before = head(LOG, foreign.publicKey) + lines(700) + head() + lines(MANY - 1, 700);
    writeFileSync(file, before);
    appendFileSync(file, head(OTHER, foreign.publicKey) + others);
    const { recorded, text } = await open();
    assert.deepEqual(recorded, []);
    assert.equal(text, before + head(OTHER, foreign.publicKey) + others + lines(MANY, MANY - 1));
  });
});
