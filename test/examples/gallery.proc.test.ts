import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
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

  const inWorkspace = (file: string): string => join(gallery.bench.workspace, file);

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

  test('link-check finds links to missing files, headings and pages, and tries the web again', async (t) => {
    let asked = 0;
    const server = createServer((request, answer) => {
      asked += 1;
      answer.statusCode = asked === 1 ? 503 : request.url === '/there' ? 200 : 404;
      answer.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    gallery.write('pages/other.md', '# Other page\n');
    gallery.write(
      'pages/index.md',
      `[a](other.md) [b](missing.md) [c](other.md#other-page) [d](other.md#nowhere) [e](http://127.0.0.1:${port}/there) [f](http://127.0.0.1:${port}/gone)\n`,
    );
    const { exit, run } = await gallery.run('link-check', 'folder=pages', 'web=true', 'output=links.md');
    assert.equal(exit, 1);
    assert.match(run.error?.message ?? '', /3 broken links, see links\.md/);
    assert.equal(run.steps.find(({ id }) => id === 'to-web')?.attempts, 2);
    assert.match(gallery.read('links.md'), /6 links on 2 pages\. The web: 2 checked\./);
    for (const line of [
      '| pages/index.md | missing.md | there is no such file |',
      '| pages/index.md | other.md#nowhere | there is no such heading |',
      `| pages/index.md | http://127.0.0.1:${port}/gone | answers 404 |`,
    ])
      assert.ok(gallery.read('links.md').includes(line), gallery.read('links.md'));
  });

  test('link-check finds nothing broken in our own docs', async () => {
    gallery.write('README.md', readFileSync(join(ROOT, 'README.md'), 'utf8'));
    for (const name of ['CONTRIBUTING.md', 'policies', 'src/guard', 'test/expression'])
      execFileSync('cp', ['-rT', join(ROOT, name), inWorkspace(mkparent(gallery, name))]);
    const { exit } = await gallery.run('link-check', 'folder=docs', 'output=docs-links.md');
    assert.equal(exit, 0, gallery.read('docs-links.md'));
  });

  test('disk-watch is quiet below its threshold, and names what is largest above it', async () => {
    gallery.write('disk/large.bin', 'x'.repeat(3_000_000));
    const quiet = await gallery.run('disk-watch', 'path=disk', 'threshold=101', 'file=quiet.txt');
    assert.equal(quiet.exit, 0, JSON.stringify(quiet.run.error));
    assert.equal(existsSync(inWorkspace('quiet.txt')), false);
    const loud = await gallery.run('disk-watch', 'path=disk', 'threshold=0', 'file=loud.txt');
    assert.equal(loud.exit, 0, JSON.stringify(loud.run.error));
    assert.match(
      gallery.read('loud.txt'),
      /^\S+Z disk is [\d.]+ % full, [\d.]+ GB are free\. Largest: large\.bin \(3 MB\) \[/,
    );
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

  test('site-watch says nothing of one failure, and of three in a row once', async (t) => {
    let failures = 1;
    const server = createServer((_, answer) => {
      failures -= 1;
      answer.statusCode = failures >= 0 ? 500 : 200;
      answer.end('all is well');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const url = `url=http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const short = await gallery.run('site-watch', url, 'contains=well', 'file=site.txt');
    assert.equal(short.exit, 0, JSON.stringify(short.run.error));
    assert.equal(short.run.steps[0]?.attempts, 2);
    assert.equal(existsSync(inWorkspace('site.txt')), false);
    failures = 100;
    const long = await gallery.run('site-watch', url, 'file=site.txt');
    assert.equal(long.exit, 0, JSON.stringify(long.run.error));
    assert.match(gallery.read('site.txt'), /^\S+ after 3 attempts: .*answered 500, not 200.* \[\S+\]\n$/s);
  });

  test('assets are named by their hash and packed twice, within the memory limit', async () => {
    gallery.write('site/index.html', '<p>hello</p>\n'.repeat(500));
    gallery.write('site/css/main.css', 'p { color: red }\n'.repeat(500));
    const { exit, run } = await gallery.run('assets', 'source=site', 'output=out');
    assert.equal(exit, 0, JSON.stringify(run.error));
    const manifest = JSON.parse(gallery.read('out/manifest.json')) as Record<string, string>;
    assert.deepEqual(Object.keys(manifest), ['css/main.css', 'index.html']);
    const page = manifest['index.html'] ?? '';
    const hash = createHash('sha256').update(gallery.read('site/index.html')).digest('hex').slice(0, 10);
    assert.equal(page, `index.${hash}.html`);
    const bytes = (end: string): Buffer => readFileSync(inWorkspace(`out/${page}${end}`));
    assert.equal(String(gunzipSync(bytes('.gz'))), gallery.read('site/index.html'));
    assert.equal(String(brotliDecompressSync(bytes('.br'))), gallery.read('site/index.html'));
    assert.ok((run.usage?.peak_memory_bytes ?? 0) <= 256 * 1024 * 1024);
  });

  test('assets are packed in a stream where the memory limit ends the other way', async (t) => {
    const small = gallery
      .read('examples/assets.json')
      .replace('"max_memory_mb": 256', '"max_memory_mb": 112');
    gallery.write('examples/assets-small.json', small);
    gallery.write('heavy/video.bin', '');
    truncateSync(inWorkspace('heavy/video.bin'), 120_000_000);
    const { exit, run } = await gallery.run('assets-small', 'source=heavy', 'output=heavy-out');
    if (run.isolation?.backend === 'polling') {
      t.skip('no memory cgroup here: the limit is observed, not enforced');
      return;
    }
    assert.equal(exit, 0, JSON.stringify(run.error));
    assert.equal(run.steps.find(({ id }) => id === 'by-brotli')?.error?.code, 'STEP_OOM');
    assert.equal(output(run, 'brotli-streamed', 'files'), 1);
    const manifest = JSON.parse(gallery.read('heavy-out/manifest.json')) as Record<string, string>;
    const packed = readFileSync(inWorkspace(`heavy-out/${manifest['video.bin']}.br`));
    assert.equal(brotliDecompressSync(packed).length, 120_000_000);
  });
});

function mkparent(gallery: Gallery, name: string): string {
  gallery.write(join(name, '..', '.keep'), '');
  return name;
}

function lacksSqlite(): string | false {
  return spawnSync('sqlite3', ['--version']).status === 0 ? false : 'the program sqlite3 is not installed';
}
