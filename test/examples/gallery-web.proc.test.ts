import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, truncateSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ROOT } from '../setup/bench-home.ts';
import { type Gallery, openGallery, output, textOutput } from '../setup/gallery.ts';

/** The examples about pages, sites and disks, each by what is there afterwards. */
describe('the gallery of pages, sites and disks', { timeout: 240_000 }, () => {
  let gallery: Gallery;
  before(() => {
    gallery = openGallery();
  });
  after(() => gallery.close());

  const inWorkspace = (file: string): string => join(gallery.bench.workspace, file);

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
    assert.match(textOutput(short.run, 'tell', 'text'), /^http\S+ answered in \d+ ms$/);
    failures = 100;
    const long = await gallery.run('site-watch', url, 'file=site.txt');
    assert.equal(long.exit, 0, JSON.stringify(long.run.error));
    assert.match(gallery.read('site.txt'), /^\S+ after 3 attempts: .*answered 500, not 200.* \[\S+\]\n$/s);
    assert.match(textOutput(long.run, 'tell', 'text'), /^http\S+ is down, told site\.txt$/);
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
    // So much that the step which holds the file is the largest when the limit is reached: the kernel ends the largest.
    const small = gallery
      .read('examples/assets.json')
      .replace('"max_memory_mb": 256', '"max_memory_mb": 160');
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
