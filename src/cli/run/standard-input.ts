import { WorkflowError } from '../../errors/workflow-error.ts';
import type { RunRequest } from '../../protocol/control.ts';
import { resolveTarget } from './arguments.ts';

/** Where a definition from there comes from: no file. */
export const STANDARD_INPUT = 'standard input';
/** As of a file. */
const MAX_BYTES = 5 * 1024 * 1024;

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
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of process.stdin as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > MAX_BYTES) throw invalid(`standard input is too large: ${MAX_BYTES} bytes are allowed`);
    parts.push(part);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(parts));
  } catch (error) {
    if (error instanceof TypeError) throw invalid('standard input is not UTF-8');
    throw error;
  }
}

function invalid(message: string): WorkflowError {
  return new WorkflowError('DEFINITION_INVALID', 'standard input has no valid workflow', {
    problems: [{ severity: 'error', path: '$', message }],
  });
}
