/** What a tool of the MCP server is, and what it is called with. */
import type { Client } from '../../client/client.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import type { Caller } from '../../protocol/caller.ts';

/** A JSON Schema of one argument, of the few forms that our tools have. */
export type ArgumentSchema = { readonly description: string } & (
  | { readonly type: 'string'; readonly enum?: readonly string[]; readonly maxLength?: number }
  | {
      readonly type: 'integer';
      readonly minimum: number;
      readonly maximum: number;
      readonly default?: number;
    }
  | { readonly type: 'boolean'; readonly default?: boolean }
  | { readonly type: 'object' }
);

export interface Tool {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** `writes` starts something; `ends` destroys work that is under way. */
  readonly effect: 'reads' | 'writes' | 'ends';
  readonly arguments: Readonly<Record<string, ArgumentSchema>>;
  readonly required: readonly string[];
  /** Name of a field of the result → its JSON Schema; all of them are always there. */
  readonly result: Readonly<Record<string, JsonObject>>;
  /** What it throws is answered as an error with its code and hint. `given` fits the schemas above. */
  call(given: JsonObject, room: ToolRoom): Promise<ToolAnswer>;
}

/** The same answer twice: for programs, and for a model to read. */
export interface ToolAnswer {
  readonly data: object;
  readonly text: string;
}

/** What a call of a tool may use. */
export interface ToolRoom {
  readonly caller: Caller;
  /** The only workflows that may be run; null: all that are found from the workspace. */
  readonly allowed: readonly string[] | null;
  /** Closed by whoever opened the room. */
  readonly client: Client;
  /** Aborted when the client no longer waits for the answer. */
  readonly signal: AbortSignal;
  /** Says what has happened; does nothing when the client did not ask for it. */
  progress(message: string): void;
}
