import type { JsonObject } from '../../definition/workflow.ts';

export interface RunnerRequest {
  readonly tool: 'fs_read' | 'fs_write' | 'fs_list' | 'search' | 'http_fetch';
  readonly args: JsonObject;
  /** Folders that the file tools stay in: workspace and scratch. */
  readonly roots: readonly string[];
  /** Below a folder that is looked through: what the agent file denies, and where its `~` is. */
  readonly denied: { readonly patterns: readonly string[]; readonly home: string | null };
}

export interface RunnerResult {
  readonly isError: boolean;
  readonly text: string;
  /** Of the whole, where the text is not all of it. */
  readonly bytes?: number;
}

/** Of an answer; what the model gets is far less. */
export const MAX_TEXT_BYTES = 256 * 1024;

/** Of the text that is printed: each of its characters may become six, and a megabyte of all is read. */
export const MAX_PRINTED_BYTES = 128 * 1024;
