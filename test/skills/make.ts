import type { SandboxGround } from '../../sandbox/launcher/ground.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { normaliseSkill } from '../../src/skills/normalise.ts';
import type { OutputSink } from '../../src/skills/output.ts';
import type { CodeRequest } from '../../src/skills/run-code.ts';
import type { Skill } from '../../src/skills/skill.ts';
import { FakeScope } from './fake-scope.ts';

/** A skill as if it had been read from a file. */
export function skillOf(content: JsonObject, workspace = '/tmp'): Skill {
  const whole = { name: 'probe', type: 'code_inline', ...content };
  return normaliseSkill(Buffer.from(JSON.stringify(whole)), '/nowhere/probe.json', workspace).skill;
}

/** A skill that runs this code in the Node of the tests. */
export function nodeSkill(code: string, more: JsonObject = {}): Skill {
  return skillOf({ command: process.execPath, args: ['-e', code], ...more });
}

export class ListSink implements OutputSink {
  readonly written: { stream: string; text: string }[] = [];
  bytes = 0;

  write(stream: string, chunk: Buffer): void {
    this.bytes += chunk.length;
    if (this.written.length < 1000) this.written.push({ stream, text: chunk.toString() });
  }

  text(stream: string): string {
    return this.written
      .filter((entry) => entry.stream === stream)
      .map((entry) => entry.text)
      .join('');
  }
}

/** A machine without any layer: the command gets its environment by the shell, as everywhere, and that is all. */
const BARE_GROUND: SandboxGround = {
  bubblewrap: null,
  setpriv: null,
  seccompFile: null,
  user: null,
  system: { mounts: [], folders: [] },
  fault: null,
  hidden: [],
  readOnly: [],
  guarded: [],
  gitConfig: null,
};
export const BARE_SANDBOX: StepSandbox = {
  ground: BARE_GROUND,
  view: {
    tier: 'skill',
    network: 'host',
    workspace: '/tmp',
    read: null,
    write: null,
    files: [],
    scratch: null,
  },
};

export function codeRequest(
  skill: Skill,
  more: Partial<CodeRequest> = {},
): CodeRequest & { scope: FakeScope } {
  const scope = new FakeScope();
  return {
    skill,
    values: {},
    outputs: [],
    sandbox: BARE_SANDBOX,
    workspace: '/tmp',
    env: { PATH: process.env.PATH ?? '/usr/bin:/bin' },
    timeoutMs: 20_000,
    idempotencyKey: 'key-1',
    instance: 'instance-1',
    stepPath: 'group/probe',
    attempt: 2,
    secrets: {},
    output: new ListSink(),
    signal: new AbortController().signal,
    killGraceMs: 200,
    ...more,
    scope,
  };
}
