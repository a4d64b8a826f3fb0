/** The tools of the native driver: what a model is told of each, and which arguments it takes. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { isObject } from '../../skills/fields.ts';

type ArgumentType = 'string' | 'integer' | 'number' | 'object' | 'strings';

export interface NativeArgument {
  readonly type: ArgumentType;
  readonly isRequired?: true;
  readonly description: string;
  readonly minimum?: number;
}

export interface NativeTool {
  readonly description: string;
  readonly args: Readonly<Record<string, NativeArgument>>;
}

const PATH: NativeArgument = { type: 'string', description: 'relative to the workspace' };
const TIMEOUT: NativeArgument = {
  type: 'number',
  description: 'seconds; 60 by default, 600 at most',
  minimum: 1,
};

export const NATIVE_TOOLS: Readonly<Record<string, NativeTool>> = {
  fs_read: {
    description: 'Reads a text file, or the lines of it from start_line to end_line (counted from 1).',
    args: {
      path: { ...PATH, isRequired: true },
      start_line: { type: 'integer', description: 'first line', minimum: 1 },
      end_line: { type: 'integer', description: 'last line', minimum: 1 },
    },
  },
  fs_write: {
    description:
      'Writes a file: all of it with content, or one place in it with old_text (which must occur exactly once) and new_text.',
    args: {
      path: { ...PATH, isRequired: true },
      content: { type: 'string', description: 'the whole new content' },
      old_text: { type: 'string', description: 'the text to replace' },
      new_text: { type: 'string', description: 'what it becomes' },
    },
  },
  fs_list: {
    description: 'Lists a folder, with what is in its folders down to depth.',
    args: { path: PATH, depth: { type: 'integer', description: '1 by default, 8 at most', minimum: 1 } },
  },
  search: {
    description:
      'Searches the text files below path for a regular expression (JavaScript) and answers file:line: text.',
    args: {
      pattern: { type: 'string', isRequired: true, description: 'regular expression' },
      path: { ...PATH, description: 'file or folder; the workspace by default' },
      glob: { type: 'string', description: 'only files whose path matches, such as **/*.ts' },
      max: { type: 'integer', description: 'most matches; 100 by default, 1000 at most', minimum: 1 },
    },
  },
  exec: {
    description: 'Runs a program with arguments. There is no shell: every argument is taken as it is.',
    args: {
      argv: { type: 'strings', isRequired: true, description: 'program and arguments' },
      cwd: PATH,
      stdin: { type: 'string', description: 'what it reads' },
      timeout_s: TIMEOUT,
    },
  },
  execute_bash: {
    description: 'Runs a command line with bash. Prefer exec where no shell is needed.',
    args: {
      command: { type: 'string', isRequired: true, description: 'command line' },
      cwd: PATH,
      timeout_s: TIMEOUT,
    },
  },
  http_fetch: {
    description: 'Sends one HTTP request and answers status, headers and body.',
    args: {
      url: { type: 'string', isRequired: true, description: 'http or https' },
      method: { type: 'string', description: 'GET by default' },
      headers: { type: 'object', description: 'names and values' },
      body: { type: 'string', description: 'text to send' },
    },
  },
  use_skill: {
    description: 'Runs a skill, a prepared command or text, with inputs by name.',
    args: {
      skill: { type: 'string', isRequired: true, description: 'name of the skill' },
      inputs: { type: 'object', description: 'parameters by name' },
    },
  },
  report_progress: {
    description: 'Tells people who watch how far you are. It changes nothing.',
    args: {
      message: { type: 'string', isRequired: true, description: 'one line' },
      percent: { type: 'number', description: '0 to 100', minimum: 0 },
    },
  },
};

const SCHEMAS: Readonly<Record<ArgumentType, JsonObject>> = {
  string: { type: 'string' },
  integer: { type: 'integer' },
  number: { type: 'number' },
  object: { type: 'object' },
  strings: { type: 'array', items: { type: 'string' } },
};

/** JSON Schema of the arguments, for the model. */
export function inputSchema(tool: NativeTool): JsonObject {
  const properties = Object.entries(tool.args).map(([name, { type, description, minimum }]) => [
    name,
    { ...SCHEMAS[type], description, ...(minimum === undefined ? {} : { minimum }) },
  ]);
  const required = Object.entries(tool.args)
    .filter(([, argument]) => argument.isRequired)
    .map(([name]) => name);
  return {
    type: 'object',
    properties: Object.fromEntries(properties),
    required,
    additionalProperties: false,
  };
}

/** What is wrong with arguments, for the model; null when nothing is. A name that is not known is never passed on. */
export function checkArguments(name: string, tool: NativeTool, args: JsonObject): string | null {
  for (const [key, value] of Object.entries(args)) {
    const argument = Object.hasOwn(tool.args, key) ? tool.args[key] : undefined;
    if (argument === undefined)
      return `${name} has no argument "${key}"${didYouMean(nearest(key, Object.keys(tool.args)))}`;
    const wrong = typeProblem(argument, value);
    if (wrong !== null) return `${name}: ${key} must be ${wrong}`;
  }
  const absent = Object.entries(tool.args).find(
    ([key, { isRequired }]) => isRequired && !Object.hasOwn(args, key),
  );
  return absent === undefined ? null : `${name} needs the argument "${absent[0]}"`;
}

function typeProblem({ type, minimum }: NativeArgument, value: Json): string | null {
  switch (type) {
    case 'string':
      return typeof value === 'string' && !value.includes('\0') ? null : 'a text without NUL';
    case 'integer':
    case 'number': {
      const isNumber = typeof value === 'number' && (type === 'number' || Number.isSafeInteger(value));
      const what = type === 'integer' ? 'a whole number' : 'a number';
      if (!isNumber) return what;
      return minimum !== undefined && value < minimum ? `${what} of at least ${minimum}` : null;
    }
    case 'object':
      return isObject(value) ? null : 'an object';
    case 'strings':
      return Array.isArray(value) &&
        value.length > 0 &&
        value.every((item) => typeof item === 'string' && !item.includes('\0'))
        ? null
        : 'a list of texts, not empty';
  }
}
