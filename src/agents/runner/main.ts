/**
 * The tool runner: one call of a file, search or network tool, inside the sandbox of the step. It reads
 * `{tool, args, roots}` as JSON on stdin, never from argv, and prints `{isError, text, bytes}`. What it may touch is
 * what the kernel lets it see; `roots` are checked beside that.
 */
import { readFileSync, writeSync } from 'node:fs';
import { ensureError } from '../../errors/workflow-error.ts';
import { capText } from '../text.ts';
import { editFile, listFolder, readLines } from './files.ts';
import { httpFetch } from './http.ts';
import { bridgeMcp } from './mcp-bridge.ts';
import { MAX_PRINTED_BYTES, type RunnerRequest, type RunnerResult } from './request.ts';
import { searchFiles } from './search.ts';

async function main(): Promise<void> {
  if (process.argv[2] === 'mcp') return bridgeMcp();
  // Our own instance wrote it.
  const request = JSON.parse(readFileSync(0, 'utf8')) as RunnerRequest;
  print(await run(request));
}

async function run(request: RunnerRequest): Promise<RunnerResult> {
  try {
    switch (request.tool) {
      case 'fs_read':
        return readLines(request);
      case 'fs_write':
        return editFile(request);
      case 'fs_list':
        return listFolder(request);
      case 'search':
        return searchFiles(request);
      case 'http_fetch':
        return await httpFetch(request);
    }
  } catch (error) {
    return { isError: true, text: ensureError(error).message };
  }
}

/** Beginning and end of a long text: no more than is kept of what it prints, however JSON escapes it. */
function print(result: RunnerResult): void {
  const text = capText(result.text, MAX_PRINTED_BYTES);
  const told = text === result.text ? result : { bytes: Buffer.byteLength(result.text), ...result, text };
  const bytes = Buffer.from(JSON.stringify(told));
  for (let done = 0; done < bytes.length; ) done += writeSync(1, bytes, done);
}

void main().catch((error: unknown) => {
  process.stderr.write(`${ensureError(error).message}\n`);
  process.exitCode = 1;
});
