import { WorkflowError } from '../../errors/workflow-error.ts';
import type { RunRequest } from '../../protocol/control.ts';
import { resolveTarget } from './arguments.ts';

/** Where a definition from there comes from: no file. */
export const STANDARD_INPUT = 'standard input';

/** What a run is asked for by the word on its command line. */
export async function runTarget(
  given: string,
  workspace: string,
): Promise<Pick<RunRequest, 'target' | 'definition'>> {
  return given === '-'
    ? { target: STANDARD_INPUT, definition: await readStandardInput() }
    : { target: resolveTarget(given, workspace) };
}

/** A definition from standard input, to its end. Throws DEFINITION_INVALID. */
export async function readStandardInput(): Promise<string> {
  // Only a definition from there needs them.
  const [{ MAX_FILE_BYTES }, { decodeUtf8 }] = await Promise.all([
    import('../../definition/json-text.ts'),
    import('../../definition/utf8.ts'),
  ]);
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_FILE_BYTES)
      throw invalid(`standard input is too large: ${MAX_FILE_BYTES} bytes are allowed`);
    parts.push(part);
  }
  const text = decodeUtf8(Buffer.concat(parts));
  if (typeof text === 'string') return text;
  throw invalid(text.message);
}

function invalid(message: string): WorkflowError {
  return new WorkflowError('DEFINITION_INVALID', 'standard input has no valid workflow', {
    problems: [{ severity: 'error', path: '$', message }],
  });
}
