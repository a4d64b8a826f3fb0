/** A skill after its file was read and brought into one form, whatever shape the file had. */
import type { Json } from '../definition/workflow.ts';

export type SkillType = 'code_inline' | 'code_session' | 'conversation' | 'prompt_inline';

/** Which of the four file shapes it was written in; see docs/skills.md. */
export type SkillShape = 'A' | 'B' | 'C' | 'D';

export interface Skill {
  readonly name: string;
  readonly type: SkillType;
  readonly shape: SkillShape;
  readonly description: string;
  readonly version: string | null;
  readonly aliases: readonly string[];
  /** Where it was found; null for a built-in. */
  readonly file: string | null;
  /** SHA-256 of the file's bytes, hex. */
  readonly hash: string;
  /** argv[0]; only for the code types. Never a template. */
  readonly command: string | null;
  /** Arguments right after the command that are passed as they are: the code of an inline executor. */
  readonly literalArgs: readonly string[];
  /** The arguments after those, with `{name}` places. */
  readonly args: readonly string[];
  /** Only for the prompt types. */
  readonly promptTemplate: string | null;
  /** Empty: any inputs are taken. */
  readonly parameters: readonly SkillParameter[];
  /** Where it runs; relative to the workspace; null = the workspace. */
  readonly workingDir: string | null;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number | null;
  readonly limits: SkillLimits;
  readonly permissions: SkillPermissions | null;
  readonly session: SessionConfig;
  readonly model: string | null;
  readonly contextFiles: readonly string[];
  /** Why it cannot be used; empty for a sound skill. Using it anyway is SKILL_INVALID. */
  readonly problems: readonly SkillNote[];
}

export interface SkillParameter {
  readonly name: string;
  readonly type: 'string' | 'number' | 'boolean' | 'enum' | 'object' | 'array';
  readonly isRequired: boolean;
  readonly default: Json | undefined;
  readonly values: readonly Json[] | null;
  readonly pattern: string | null;
  readonly description: string;
}

export interface SkillLimits {
  readonly maxMemoryBytes: number | null;
  readonly maxCpuPercent: number | null;
  readonly maxExecutionTimeMs: number | null;
}

/** What a skill file takes away from itself. Paths are relative to the workspace; null = not said, so not narrowed. */
export interface SkillPermissions {
  readonly fileRead: readonly string[] | null;
  readonly fileWrite: readonly string[] | null;
  readonly networkAccess: boolean;
}

export interface SessionConfig {
  /** Time without a call after which the session is closed. */
  readonly ttlMs: number;
  readonly maxSessions: number;
  readonly isCleanedUpOnExit: boolean;
}

/** What reading a skill file found or rewrote, e.g. "command was split into argv". */
export interface SkillNote {
  readonly severity: 'error' | 'warning' | 'rewritten';
  readonly file: string;
  /** JSON path in the file. */
  readonly path: string;
  readonly message: string;
}
