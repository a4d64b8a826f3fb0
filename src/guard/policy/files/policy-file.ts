import type { Tier } from '../../../../sandbox/launcher/tier.ts';
import type { Json } from '../../../definition/workflow.ts';
import type { SecretKind } from '../../secret-kinds.ts';

/** The layers of policies, the most general first. A lower one only narrows what a higher one says. */
export const LAYERS = [
  'organisation',
  'environment',
  'user',
  'workspace',
  'workflow',
  'agent',
  'step',
] as const;

export type Layer = (typeof LAYERS)[number];

export type Decision = 'allow' | 'ask' | 'deny';

type OneOrMany = string | readonly string[];

/** A policy file as its schema accepts it (policies/policy.schema.json). */
export interface PolicyFile {
  readonly apiVersion?: 'policy/v1';
  readonly id?: string;
  readonly description?: string;
  readonly layer?: Layer;
  readonly environments?: readonly string[];
  /** `shadow`: evaluated and recorded, without effect. */
  readonly mode?: 'enforce' | 'shadow';
  readonly default?: Decision;
  readonly rules?: readonly RuleFile[];
  readonly limits?: LimitsFile;
  readonly stuck?: StuckFile;
  readonly redact?: readonly SecretKind[];
  readonly output_schema?: Json;
  /** `skill`, `agent`, or one of them by name (`skill:deploy`) → the laxest tier that its steps may have. */
  readonly tiers?: Readonly<Record<string, Tier>>;
}

export interface RuleFile {
  readonly id?: string;
  readonly description?: string;
  readonly effect: Decision;
  readonly tool?: OneOrMany;
  readonly command?: CommandFile | readonly CommandFile[];
  readonly path?: OneOrMany | PathFile;
  readonly host?: OneOrMany | HostFile;
  /** JSON Schema of the arguments. */
  readonly args?: { readonly [key: string]: Json };
  /** CEL. */
  readonly when?: string;
  readonly reason?: string;
  readonly approval?: ApprovalFile;
  readonly rate?: RateFile;
  readonly tests?: TestsFile;
}

/** A string is a program and its first words: `git push`. */
export type CommandFile =
  | string
  | {
      readonly program: OneOrMany;
      readonly subcommand?: OneOrMany;
      readonly args?: OneOrMany | ArgsFile;
      /** For programs that run code given in their arguments (`node -e`): true allows that too. */
      readonly code?: boolean;
    };

export interface ArgsFile {
  readonly any?: OneOrMany;
  readonly all?: OneOrMany;
  readonly none?: OneOrMany;
}

export interface PathFile {
  readonly within?: OneOrMany;
  readonly globs?: OneOrMany;
  readonly except?: OneOrMany;
}

export interface HostFile {
  readonly names?: OneOrMany;
  readonly ports?: number | readonly number[];
  readonly classes?: OneOrMany;
}

export interface ApprovalFile {
  readonly by?: readonly string[];
  readonly timeout_s?: number;
}

export interface RateFile {
  readonly per_minute?: number;
  readonly per_hour?: number;
  readonly per_run?: number;
}

export interface TestsFile {
  readonly match?: readonly TestCall[];
  readonly noMatch?: readonly TestCall[];
}

/** A text is a command, path or URL after the kind of its rule. */
export type TestCall = string | TestCallFile;

export interface TestCallFile {
  readonly tool?: string;
  readonly args?: { readonly [key: string]: Json };
  readonly agent?: string;
  readonly workflow?: string;
  readonly step?: string;
  readonly environment?: string;
}

export interface LimitsFile {
  readonly iterations?: number;
  readonly tool_calls?: number;
  readonly tokens?: number;
  readonly cost_usd?: number;
  readonly wall_s?: number;
  readonly output_bytes?: number;
  readonly calls?: Readonly<Record<string, RateFile>>;
}

export interface StuckFile {
  readonly same_call?: number;
  readonly alternating?: number;
  readonly denials?: number;
}

/** One or many, as many. */
export function many<T extends string | number>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return typeof value === 'object' ? value : [value];
}
