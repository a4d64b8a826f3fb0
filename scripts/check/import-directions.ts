/** Imports go one way: which room may import which. */
import { dirname, join } from 'node:path';
import type { Finding, Source } from './sources.ts';

interface Rule {
  /** Rooms whose values a room may import. */
  readonly values: readonly string[];
  /** Further rooms of which it may import types only: they leave no trace in what runs. */
  readonly types?: readonly string[];
}

/** A room may always import itself and `errors`. */
const RULES: Readonly<Record<string, Rule>> = {
  commands: { values: ['cli', 'client', 'protocol', 'wizard'] },
  cli: {
    values: ['client', 'protocol', 'guard', 'service'],
    types: ['audit', 'definition', 'engine', 'store', 'sandbox', 'skills', 'agents'],
  },
  // Above the command line: loaded by create and edit alone, which read files as a run would, without a supervisor.
  wizard: { values: ['cli', 'client', 'protocol', 'guard', 'definition', 'schedule', 'skills', 'agents'] },
  client: { values: ['protocol', 'service'] },
  service: { values: ['protocol', 'sandbox'] },
  protocol: { values: [], types: ['definition', 'engine', 'store', 'skills', 'agents', 'sandbox'] },
  engine: { values: ['definition', 'expression'] },
  expression: { values: ['definition'] },
  definition: { values: ['expression'] },
  skills: { values: ['definition', 'sandbox'] },
  agents: {
    values: ['definition', 'skills', 'protocol', 'sandbox', 'expression', 'audit', 'guard'],
    types: ['engine'],
  },
  instance: {
    values: [
      'engine',
      'expression',
      'definition',
      'skills',
      'agents',
      'protocol',
      'sandbox',
      'audit',
      'guard',
    ],
  },
  guard: { values: ['audit', 'definition', 'expression', 'protocol', 'sandbox'], types: ['engine', 'store'] },
  audit: { values: [], types: ['engine', 'definition'] },
  store: { values: ['audit', 'protocol'], types: ['definition', 'engine', 'sandbox'] },
  schedule: { values: ['definition', 'audit'], types: ['store', 'protocol'] },
  supervisor: {
    values: [
      'guard',
      'audit',
      'store',
      'schedule',
      'sandbox',
      'protocol',
      'engine',
      'definition',
      'expression',
      'skills',
      'agents',
    ],
  },
  sandbox: { values: [] },
  errors: { values: [] },
};

/** Single lazy imports against the rule, each with its reason. */
const EXCEPTIONS: Readonly<Record<string, { readonly to: string; readonly reason: string }>> = {
  'src/cli/audit/audit-verify.ts': {
    to: 'audit',
    reason:
      'audit verify reads the file itself: it must work where no supervisor does; loaded by that command alone',
  },
  'src/cli/service/backup.ts': {
    to: 'store',
    reason: 'supervisor restore works only where no supervisor does; loaded by that command alone',
  },
  'src/cli/health/health.ts': {
    to: 'sandbox',
    reason: 'doctor looks at the machine itself, also where no supervisor can be started',
  },
  'src/cli/service/service.ts': {
    to: 'sandbox',
    reason: 'install says what a logout ends, before any supervisor runs; loaded by that command alone',
  },
  'src/cli/kill/kill-directly.ts': {
    to: 'sandbox',
    reason: 'a kill switch must work where no supervisor answers; loaded in that case alone',
  },
  'src/cli/health/model-health.ts': {
    to: 'agents',
    reason: 'doctor --model talks to the model itself, with the key of who calls; loaded by that flag alone',
  },
  'src/cli/skills.ts': {
    to: 'skills',
    reason: 'skills list, show and validate read the folders as a run would, without a supervisor',
  },
  'src/cli/agents.ts': {
    to: 'agents',
    reason: 'agents list, show and validate read the folders as a run would, without a supervisor',
  },
  'src/cli/completion/sources.ts': {
    to: 'supervisor',
    reason: 'completing starts no supervisor: without one it looks into the folders of workflows itself',
  },
  'src/cli/validation.ts': {
    to: 'supervisor',
    reason: 'validate checks a file as run would, without a supervisor; loaded by that command alone',
  },
};

const IMPORT =
  /^(?:import|export)\s+(type\s)?[^;'"]*?from\s+'(\.[^']+)'|^import\s+'(\.[^']+)'|import\('(\.[^']+)'\)/gm;

export function checkImports(sources: readonly Source[]): Finding[] {
  return sources.flatMap((source) => {
    const from = roomOf(source.file);
    const rule = RULES[from];
    if (rule === undefined)
      return [{ file: source.file, message: `the room ${from} has no rule for its imports` }];
    return [...source.text.matchAll(IMPORT)].flatMap(([whole, isType, named, bare, dynamic]) => {
      const to = roomOf(join(dirname(source.file), named ?? bare ?? dynamic ?? ''));
      if (to === from || to === 'errors' || rule.values.includes(to)) return [];
      if (isType !== undefined && rule.types?.includes(to)) return [];
      const exception = EXCEPTIONS[source.file];
      if (exception?.to === to && dynamic !== undefined) return [];
      const how = isType === undefined ? '' : ' (even a type)';
      return [
        {
          file: source.file,
          message: `${from} may not import ${to}${how}: ${whole.split('\n').at(-1)?.trim()}`,
        },
      ];
    });
  });
}

/** src/engine/x.ts → engine; commands and sandbox are rooms of their own. */
function roomOf(file: string): string {
  const [first = '', second = ''] = file.split('/');
  return first === 'src' ? second : first;
}
