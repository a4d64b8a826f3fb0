import {
  readContextFiles,
  readParameters,
  readSecurity,
  readSession,
  readType,
  type SkillDraft,
} from './blocks.ts';
import { readCommandLine, rewriteBraces, singleBraces } from './command-line.ts';
import type { Fields } from './fields.ts';
import { readBasics } from './shape-a.ts';

/** How each language takes code as one argument, and what stands between the code and the arguments after it. */
const LANGUAGES: Readonly<Record<string, { command: string; flag: string; after: readonly string[] }>> = {
  bash: { command: 'bash', flag: '-c', after: ['bash'] },
  sh: { command: 'sh', flag: '-c', after: ['sh'] },
  shell: { command: 'sh', flag: '-c', after: ['sh'] },
  python: { command: 'python3', flag: '-c', after: [] },
  python3: { command: 'python3', flag: '-c', after: [] },
  javascript: { command: 'node', flag: '-e', after: ['--'] },
  js: { command: 'node', flag: '-e', after: ['--'] },
  node: { command: 'node', flag: '-e', after: ['--'] },
  ruby: { command: 'ruby', flag: '-e', after: ['--'] },
  perl: { command: 'perl', flag: '-e', after: ['--'] },
};

/** Shape D: `metadata`, `skill_type` and an `executor`; parameters are a map; times are milliseconds. */
export function readShapeD(fields: Fields): SkillDraft {
  const type = readType(fields, 'skill_type');
  fields.notes.rewritten(
    fields.path,
    'shape D: metadata, skill_type and executor are read as name, type and command',
  );
  const metadata = fields.object('metadata');
  if (fields.has('completion')) fields.notes.warn(fields.at('completion'), 'is ignored');
  const parameters = readParameters(fields);
  const draft: SkillDraft = {
    ...(metadata === null ? {} : readBasics(metadata)),
    ...(type === null ? {} : { type }),
    parameters,
    session: readSession(fields, 'session', 1),
    contextFiles: readContextFiles(fields, 'context'),
    model: fields.string('model'),
    ...readSecurity(fields),
  };
  for (const key of ['author', 'tags', 'category', 'created', 'updated']) metadata?.raw(key);
  metadata?.warnUnknown();
  const executor = fields.object('executor');
  const body =
    executor === null
      ? {}
      : readExecutor(
          executor,
          parameters.map(({ name }) => name),
        );
  for (const key of ['prompt', 'conversation']) fields.raw(key);
  const isPrompt = type === 'prompt_inline' || type === 'conversation';
  if (isPrompt) return { ...draft, ...body, command: null, ...readPrompt(fields) };
  if (executor === null && type !== null) fields.notes.error(fields.at('executor'), 'is missing');
  return { ...draft, ...body };
}

function readPrompt(fields: Fields): SkillDraft {
  for (const key of ['prompt', 'conversation']) {
    const raw = fields.raw(key);
    if (typeof raw === 'string') return { promptTemplate: singleBraces(raw) };
    const block = raw === undefined ? null : fields.object(key);
    for (const name of ['template', 'prompt_template', 'prompt', 'system_prompt', 'initial_prompt', 'text']) {
      const text = block?.string(name) ?? null;
      if (text === null || block === null) continue;
      block.notes.rewritten(block.at(name), 'is read as prompt_template');
      return { promptTemplate: rewriteBraces([text], block.at(name), block)[0] ?? text };
    }
  }
  fields.notes.error(fields.at('prompt'), 'is missing: prompt.template or conversation.system_prompt');
  return {};
}

function readExecutor(fields: Fields, parameters: readonly string[]): SkillDraft {
  const kind = fields.string('type');
  const timeoutMs = fields.positive('timeout');
  if (timeoutMs !== null) {
    fields.notes.rewritten(fields.at('timeout'), `${timeoutMs} ms is read as ${timeoutMs / 1000} s`);
  }
  const common: SkillDraft = {
    timeoutMs,
    workingDir: fields.string('working_directory'),
    environment: fields.texts('env'),
  };
  const args = fields.has('args') ? fields.strings('args') : null;
  switch (kind ?? '') {
    case 'inline':
      return { ...common, ...readInline(fields, args ?? [], parameters) };
    case 'command': {
      const line = readCommandLine(fields, args);
      fields.warnUnknown();
      return { ...common, command: line.command, args: rewriteBraces(line.args, fields.at('args'), fields) };
    }
    case 'mcp':
    case 'delegate':
      fields.notes.error(fields.at('type'), `executor type "${kind}" is not supported until agents are`);
      return common;
    default:
      fields.notes.error(
        fields.at('type'),
        `${JSON.stringify(kind)} is none of inline, command, mcp, delegate`,
      );
      return common;
  }
}

/** The code is one argument of its interpreter. Values are never put into code: it reads them from SKILL_PARAM_*. */
function readInline(fields: Fields, args: readonly string[], parameters: readonly string[]): SkillDraft {
  const name = fields.string('language');
  const code = fields.string('code');
  fields.warnUnknown();
  const language =
    name !== null && Object.hasOwn(LANGUAGES, name.toLowerCase()) ? LANGUAGES[name.toLowerCase()] : null;
  if (language === null || language === undefined) {
    const known = Object.keys(LANGUAGES).join(', ');
    fields.notes.error(fields.at('language'), `${JSON.stringify(name)} is not known; known are ${known}`);
    return {};
  }
  if (code === null) {
    if (!fields.has('code')) fields.notes.error(fields.at('code'), 'is missing');
    return {};
  }
  for (const parameter of parameters) {
    if (!singleBraces(code).includes(`{${parameter}}`)) continue;
    fields.notes.warn(
      fields.at('code'),
      `{${parameter}} is not filled in code; read SKILL_PARAM_${parameter}`,
    );
  }
  fields.notes.rewritten(
    fields.at('code'),
    `is run as one argument: ${language.command} ${language.flag} <code>`,
  );
  return {
    command: language.command,
    literalArgs: [language.flag, code, ...language.after],
    args: rewriteBraces(args, fields.at('args'), fields),
  };
}
