/**
 * Loaded before each test file: a file whose tests are done but whose process does not end, because something was left
 * open, would hold up the whole run without a word. What is left open is named, and the file fails.
 */
const LIMIT_MS = Number(process.env['Q_TEST_FILE_LIMIT_S'] ?? 900) * 1000;

// The process that runs all files loads it too.
if (process.env['NODE_TEST_CONTEXT'] !== undefined) {
  setTimeout(() => {
    const open = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(`this test file has not ended after ${LIMIT_MS / 1000} s; open: ${open}\n`);
    process.exit(1);
  }, LIMIT_MS).unref();
}
