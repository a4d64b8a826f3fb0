import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { ROOT } from '../setup/bench-home.ts';
import { type Gallery, openGallery, output, textOutput } from '../setup/gallery.ts';

/** The examples that solve a problem, each by what is there afterwards. */
describe('the gallery', { timeout: 240_000 }, () => {
  let gallery: Gallery;
  before(() => {
    gallery = openGallery();
  });
  after(() => gallery.close());

  const inWorkspace = (file: string): string => join(gallery.bench.workspace, file);

  test('every example is valid, and is in the list of examples', async () => {
    const list = readFileSync(join(ROOT, 'examples/README.md'), 'utf8');
    const files = readdirSync(join(ROOT, 'examples')).filter((name) => /(?<!-scenario)\.json$/.test(name));
    assert.ok(files.length >= 20);
    for (const file of files) {
      const { status, stdout, stderr } = await gallery.bench.q('validate', `examples/${file}`);
      assert.equal(status, 0, `${file}: ${stdout}${stderr}`);
      assert.match(stdout, /is valid: [a-z-]+ 1\.0\.0\n$/, `${file} has a warning`);
      assert.ok(list.includes(`](${file})`), `${file} is not in examples/README.md`);
    }
  });

  test('backup packs what can be unpacked again, and keeps no more than it was told', async () => {
    gallery.write('data/a.txt', 'alpha\n');
    gallery.write('data/b/c.txt', 'gamma\n');
    const archives = (): string[] =>
      readdirSync(inWorkspace('saved')).filter((name) => name.endsWith('.tar.gz'));
    const runs: StatusDocument[] = [];
    for (let count = 0; count < 3; count += 1) {
      const { exit, run } = await gallery.run('backup', 'source=data', 'target=saved', 'keep=2');
      assert.equal(exit, 0, JSON.stringify(run.error));
      runs.push(run);
    }
    assert.equal(archives().length, 2);
    assert.equal(
      archives().some((name) => name.includes(runs[0]?.id ?? '?')),
      false,
    );
    const newest = textOutput(runs[2], 'packed', 'archive');
    const text = execFileSync('tar', ['-xzOf', inWorkspace(newest), './b/c.txt'], { encoding: 'utf8' });
    assert.equal(text, 'gamma\n');
    const hash = createHash('sha256')
      .update(readFileSync(inWorkspace(newest)))
      .digest('hex');
    assert.equal(textOutput(runs[2], 'packed', 'sha256'), hash);
  });

  test('backup throws a bad archive away and leaves the good ones', async () => {
    gallery.write('small/a.txt', 'alpha\n');
    const good = await gallery.run('backup', 'source=small', 'target=kept', 'keep=1');
    assert.equal(good.exit, 0);
    const bad = await gallery.run('backup', 'source=small', 'target=kept', 'keep=1', 'min_files=5');
    assert.equal(bad.exit, 1);
    assert.equal(bad.run.status, 'rolled_back');
    assert.match(bad.run.error?.message ?? '', /holds 1 files, and at least 5 were expected/);
    const left = readdirSync(inWorkspace('kept')).filter((name) => name.endsWith('.gz'));
    assert.deepEqual(left, [textOutput(good.run, 'packed', 'archive').slice('kept/'.length)]);
  });

  test('backup keeps one archive at least, and says what tar says', async () => {
    gallery.write('lone/a.txt', 'alpha\n');
    const none = await gallery.run('backup', 'source=lone', 'target=lonely', 'keep=0');
    assert.equal(none.exit, 1);
    assert.match(none.run.error?.message ?? '', /: Error: keep is 0: one archive at least has to stay$/);
    const lost = await gallery.run('backup', 'source=no-such', 'target=lonely');
    assert.match(
      lost.run.error?.message ?? '',
      /: Error: tar: no-such: Cannot open: No such file or directory$/,
    );
    assert.deepEqual(readdirSync(inWorkspace('lonely')), []);
  });

  test('changelog sorts commits since the last tag, and replaces its own section', async () => {
    gallery.git('init', '-q');
    gallery.write('RELEASE.md', '# Changelog\n\n## [0.9.0] - 2020-01-01\n\n- old\n');
    gallery.git('add', '-A');
    gallery.git('commit', '-qm', 'Begin');
    gallery.git('tag', 'v0.9.0');
    for (const subject of ['feat: send mail', 'Fix the clock', 'Speed up the start', 'Remove the old parser'])
      gallery.git('commit', '-q', '--allow-empty', '-m', subject);
    for (let count = 0; count < 2; count += 1) {
      const { exit, run } = await gallery.run('changelog', 'version=1.0.0');
      assert.equal(exit, 0, JSON.stringify(run.error));
      assert.equal(output(run, 'written', 'text'), 'RELEASE.md: 4 commits since v0.9.0');
    }
    assert.match(
      gallery.read('RELEASE.md'),
      /^# Changelog\n\n## \[1\.0\.0\] - \d{4}-\d\d-\d\d\n\n### Added\n- send mail\n\n### Fixed\n- Fix the clock\n\n### Removed\n- Remove the old parser\n\n### Changed\n- Speed up the start\n\n## \[0\.9\.0\] - 2020-01-01\n\n- old\n$/,
    );
    const wrong = await gallery.run('changelog', 'since=v7');
    assert.match(
      wrong.run.error?.message ?? '',
      /: Error: fatal: ambiguous argument 'v7\.\.HEAD': unknown revision/,
    );
    const none = await gallery.run('changelog', 'since=HEAD');
    assert.equal(output(none.run, 'nothing', 'text'), 'nothing was committed since HEAD');
  });

  test('dependency-audit lists what it finds and fails on what blocks', async () => {
    const entry = {
      version: '1.0.0',
      resolved: 'https://example.org/x.tgz',
      integrity: 'sha512-x',
      license: 'MIT',
    };
    const lock = (more: object): string =>
      JSON.stringify({ packages: { '': {}, 'node_modules/fine': entry, ...more } });
    gallery.write('lock.json', lock({ 'node_modules/odd': { ...entry, license: 'GPL-3.0' } }));
    const fine = await gallery.run('dependency-audit', 'lockfile=lock.json', 'output=fine.md');
    assert.equal(fine.exit, 0, JSON.stringify(fine.run.error));
    assert.match(
      gallery.read('fine.md'),
      /2 packages, 0 findings that block\. Known vulnerabilities: not asked/,
    );
    assert.match(gallery.read('fine.md'), /\| odd 1\.0\.0 \| has the license GPL-3\.0 \| false \|/);
    gallery.write(
      'lock.json',
      lock({
        'node_modules/runs': { ...entry, hasInstallScript: true },
        'node_modules/bare': { version: '2.0.0', resolved: 'http://example.org/y.tgz' },
      }),
    );
    const bad = await gallery.run('dependency-audit', 'lockfile=lock.json', 'output=bad.md');
    assert.equal(bad.exit, 1);
    assert.equal(bad.run.error?.step, 'gate');
    assert.match(bad.run.error?.message ?? '', /3 findings block, see bad\.md/);
    assert.match(gallery.read('bad.md'), /\| runs 1\.0\.0 \| runs a script at its installation \| true \|/);
  });

  test('dependency-audit counts what the registry knows, which npm says with an exit of its own', async () => {
    const { bench } = gallery;
    // In the place of npm: no test asks the registry for the holes of a day.
    gallery.write('fake/npm', '');
    chmodSync(inWorkspace('fake/npm'), 0o755);
    gallery.write('empty.json', '{"packages": {}}');
    const audit = async (found: string): Promise<StatusDocument> => {
      gallery.write('fake/npm', `#!/bin/sh\necho '{"metadata": {"vulnerabilities": ${found}}}'\nexit 1\n`);
      const inputs = ['lockfile=empty.json', 'online=true', 'output=online.md'];
      const { stdout, stderr } = await bench.qWith(
        { PATH: `${inWorkspace('fake')}:${bench.env['PATH']}` },
        'run',
        'examples/dependency-audit.json',
        '--json',
        ...inputs.flatMap((input) => ['--input', input]),
      );
      assert.notEqual(stdout, '', stderr);
      return JSON.parse(stdout) as StatusDocument;
    };
    const mild = await audit('{"low": 2, "high": 0, "critical": 0, "total": 2}');
    assert.equal(mild.status, 'completed', JSON.stringify(mild.error));
    assert.match(gallery.read('online.md'), /0 findings that block\. Known vulnerabilities: 2\./);
    const grave = await audit('{"low": 0, "high": 1, "critical": 0, "total": 1}');
    assert.equal(grave.error?.step, 'gate', JSON.stringify(grave.error));
  });

  test('sales-report adds up sound rows, lists the others, and refuses too many of them', async () => {
    const { exit, run } = await gallery.run('sales-report');
    assert.equal(exit, 0, JSON.stringify(run.error));
    assert.equal(
      gallery.read('sales-report.md'),
      [
        '# amount by region',
        '',
        'Total 3716.15 in 6 rows; 2 were left out.',
        '',
        '| region | rows | amount | share |',
        '| --- | --- | --- | --- |',
        '| south | 2 | 1330.3 | 36 % |',
        '| north | 2 | 1290.4 | 35 % |',
        '| west | 1 | 640 | 17 % |',
        '| east | 1 | 455.45 | 12 % |',
        '',
      ].join('\n'),
    );
    assert.match(
      gallery.read('sales-report.md.rejected.md'),
      /\| 5 \| amount is "n\/a", no number \|\n\| 8 \| region is empty \|/,
    );
    const strict = await gallery.run('sales-report', 'max_rejected_percent=10', 'output=strict.md');
    assert.equal(strict.exit, 1);
    assert.match(strict.run.error?.message ?? '', /2 of 8 rows are wrong, see strict\.md\.rejected\.md/);
    assert.equal(existsSync(inWorkspace('strict.md')), false);
  });

  test('migrate-database swaps the tables, or leaves everything as it was', {
    skip: lacksSqlite(),
  }, async () => {
    const sql = (text: string): string =>
      execFileSync('sqlite3', [inWorkspace('shop.db'), text], { encoding: 'utf8' }).trim();
    sql(
      "CREATE TABLE people(id INTEGER, name TEXT, email TEXT); INSERT INTO people VALUES (1, 'Ann', ' ann@a.org'), (2, 'Bob', 'ANN@a.org')",
    );
    const before = sql('.dump');
    const failed = await gallery.run('migrate-database', 'database=shop.db');
    assert.equal(failed.exit, 1);
    assert.equal(failed.run.status, 'rolled_back');
    assert.equal(failed.run.error?.step, 'index');
    assert.match(failed.run.error?.message ?? '', /UNIQUE constraint failed/);
    assert.equal(sql('.dump'), before);
    sql("UPDATE people SET email = 'bob@a.org' WHERE id = 2");
    const done = await gallery.run('migrate-database', 'database=shop.db');
    assert.equal(done.exit, 0, JSON.stringify(done.run.error));
    assert.equal(output(done.run, 'still-sound', 'verdict'), 'ok');
    assert.equal(sql('SELECT group_concat(email) FROM people'), 'ann@a.org,bob@a.org');
    assert.equal(
      sql("SELECT group_concat(name) FROM sqlite_master WHERE type = 'table' ORDER BY 1"),
      'people_old,people',
    );
  });
});

function lacksSqlite(): string | false {
  return spawnSync('sqlite3', ['--version']).status === 0 ? false : 'the program sqlite3 is not installed';
}
