import type { LimitsFile, RateFile } from './policy/files/policy-file.ts';
import { fitsGlob } from './policy/rules/text-glob.ts';
import { countAfter, NO_MOMENTS, type Recent, withMoment } from './recent.ts';
import { canonicalTool } from './tools.ts';

/** What has been used of a run's budget. A plain value: it can be rebuilt from the journal. */
export interface Spent {
  readonly iterations: number;
  readonly toolCalls: number;
  readonly tokens: number;
  readonly costUsd: number;
  /** Work, by a monotonic clock; waiting for a person does not count. */
  readonly wallMs: number;
  readonly outputBytes: number;
  /** By canonical tool: all calls of the run, and when those of the last hour were made (ms). */
  readonly calls: Readonly<Record<string, Calls>>;
}

export interface Calls {
  readonly count: number;
  readonly at: Recent;
}

export const NOTHING_SPENT: Spent = {
  iterations: 0,
  toolCalls: 0,
  tokens: 0,
  costUsd: 0,
  wallMs: 0,
  outputBytes: 0,
  calls: {},
};

export type SpendEvent =
  /** A model request, counted before it is sent. */
  | { readonly type: 'request' }
  | { readonly type: 'usage'; readonly tokens: number; readonly costUsd: number }
  /** A tool call, counted before it runs. */
  | { readonly type: 'call'; readonly tool: string; readonly atMs: number }
  | { readonly type: 'output'; readonly bytes: number }
  | { readonly type: 'work'; readonly ms: number };

/** Combined limits; null: none. */
export interface Limits {
  readonly iterations: number | null;
  readonly tool_calls: number | null;
  readonly tokens: number | null;
  readonly cost_usd: number | null;
  readonly wall_s: number | null;
  readonly output_bytes: number | null;
  readonly calls: Readonly<Record<string, RateFile>>;
}

export interface Breach {
  /** `tokens`, or `calls.execute_bash.per_minute`. */
  readonly limit: string;
  readonly allowed: number;
  readonly used: number;
}

const SIMPLE = ['iterations', 'tool_calls', 'tokens', 'cost_usd', 'wall_s', 'output_bytes'] as const;
const WINDOWS = { per_minute: 60_000, per_hour: 3_600_000 } as const;

/** The limits of all layers as one: of each the least. */
export function combineLimits(layers: readonly (LimitsFile | undefined)[]): Limits {
  const files = layers.filter((each) => each !== undefined);
  const of = (key: (typeof SIMPLE)[number]): number | null => least(files.map((file) => file[key]));
  const tools = new Set(files.flatMap(({ calls }) => Object.keys(calls ?? {})));
  const calls = [...tools].map((tool): [string, RateFile] => [
    canonicalTool(tool),
    combineRates(files.flatMap((file) => rateOf(file, tool))),
  ]);
  return {
    iterations: of('iterations'),
    tool_calls: of('tool_calls'),
    tokens: of('tokens'),
    cost_usd: of('cost_usd'),
    wall_s: of('wall_s'),
    output_bytes: of('output_bytes'),
    calls: mergeByTool(calls),
  };
}

function rateOf({ calls }: LimitsFile, tool: string): RateFile[] {
  const rate = calls !== undefined && Object.hasOwn(calls, tool) ? calls[tool] : undefined;
  return rate === undefined ? [] : [rate];
}

/** Two names of one tool (`shell`, `execute_bash`) may have become one. */
function mergeByTool(calls: readonly (readonly [string, RateFile])[]): Record<string, RateFile> {
  const merged = new Map<string, RateFile>();
  for (const [tool, rate] of calls)
    merged.set(tool, combineRates([rate, ...[merged.get(tool) ?? []].flat()]));
  return Object.fromEntries(merged);
}

function combineRates(rates: readonly RateFile[]): RateFile {
  const keys = ['per_minute', 'per_hour', 'per_run'] as const;
  const entries = keys.map((key) => [key, least(rates.map((rate) => rate[key]))] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== null));
}

function least(values: readonly (number | undefined)[]): number | null {
  const given = values.filter((value) => value !== undefined);
  return given.length === 0 ? null : Math.min(...given);
}

/** What is used after an event. */
export function spend(spent: Spent, event: SpendEvent): Spent {
  switch (event.type) {
    case 'request':
      return { ...spent, iterations: spent.iterations + 1 };
    case 'usage':
      return { ...spent, tokens: spent.tokens + event.tokens, costUsd: spent.costUsd + event.costUsd };
    case 'output':
      return { ...spent, outputBytes: spent.outputBytes + event.bytes };
    case 'work':
      return { ...spent, wallMs: spent.wallMs + event.ms };
    case 'call': {
      const tool = canonicalTool(event.tool);
      const before = Object.hasOwn(spent.calls, tool) ? spent.calls[tool] : undefined;
      const at = withMoment(before?.at ?? NO_MOMENTS, event.atMs, event.atMs - WINDOWS.per_hour);
      const calls = { count: (before?.count ?? 0) + 1, at };
      return { ...spent, toolCalls: spent.toolCalls + 1, calls: { ...spent.calls, [tool]: calls } };
    }
  }
}

/** Every limit that is passed. Ask with the event that is about to happen: `exceeded(spend(spent, event), …)`. */
export function exceeded(spent: Spent, limits: Limits, nowMs: number): Breach[] {
  const used = {
    iterations: spent.iterations,
    tool_calls: spent.toolCalls,
    tokens: spent.tokens,
    cost_usd: spent.costUsd,
    wall_s: spent.wallMs / 1000,
    output_bytes: spent.outputBytes,
  };
  const simple = SIMPLE.flatMap((limit) => breach(limit, limits[limit], used[limit]));
  const rates = Object.entries(limits.calls).flatMap(([tool, rate]) => {
    const seen = Object.entries(spent.calls).flatMap(([name, calls]) =>
      fitsGlob(tool, name) ? [calls] : [],
    );
    return passedRates(`calls.${tool}`, rate, seen, nowMs);
  });
  return [...simple, ...rates];
}

/** The bounds of a rate that some calls pass together. */
export function passedRates(name: string, rate: RateFile, seen: readonly Calls[], nowMs: number): Breach[] {
  const sum = (of: (calls: Calls) => number): number => seen.reduce((all, each) => all + of(each), 0);
  const within = (window: keyof typeof WINDOWS): Breach[] => {
    const allowed = rate[window];
    if (allowed === undefined) return [];
    return breach(
      `${name}.${window}`,
      allowed,
      sum(({ at }) => countAfter(at, nowMs - WINDOWS[window])),
    );
  };
  return [
    ...within('per_minute'),
    ...within('per_hour'),
    ...breach(
      `${name}.per_run`,
      rate.per_run ?? null,
      sum(({ count }) => count),
    ),
  ];
}

function breach(limit: string, allowed: number | null, used: number): Breach[] {
  return allowed !== null && used > allowed ? [{ limit, allowed, used }] : [];
}
