import type { RE2JS } from 're2js';
import { EvaluationFault, LimitFault } from './expression-error.ts';
import type { Meter } from './meter.ts';

const MAX_PATTERN = 256;
const MAX_PROGRAM = 2000;
const MAX_CACHED = 32;
const COMPILE_UNITS = 100;
const CALL_UNITS = 20;
const STEPS_A_UNIT = 4;

let engine: typeof RE2JS | null = null;
const compiled = new Map<string, RE2JS>();

/** Loads the regex engine (10 ms); only for expressions that call `re`. */
export async function loadRegex(): Promise<void> {
  engine ??= (await import('re2js')).RE2JS;
}

export function isRegexLoaded(): boolean {
  return engine !== null;
}

/**
 * True when `pattern` (RE2 syntax) is found anywhere in `text`. The time is linear in text times pattern, and both
 * are paid for from the meter, so no pattern can hang a run.
 */
export function findRegex(text: string, pattern: string, meter: Meter, at: number): boolean {
  const regex = compileRegex(pattern, at);
  const size = regex.programSize();
  if (!meter.patterns.has(pattern)) {
    meter.patterns.add(pattern);
    meter.spend(size * COMPILE_UNITS, at);
  }
  meter.spend(CALL_UNITS + Math.ceil((text.length * size) / STEPS_A_UNIT), at);
  return regex.matcher(text).find();
}

/** Compiles a pattern, or throws an EvaluationFault that says what is wrong with it. */
export function compileRegex(pattern: string, at: number): RE2JS {
  const cached = compiled.get(pattern);
  if (cached !== undefined) return cached;
  if (engine === null) throw new EvaluationFault('re() is used before its engine was loaded', at);
  if (pattern.length > MAX_PATTERN) {
    throw new LimitFault(`a regex is longer than ${MAX_PATTERN} characters`, at);
  }
  let regex: RE2JS;
  try {
    regex = engine.compile(pattern);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new EvaluationFault(`the regex ${JSON.stringify(pattern)} is not valid: ${reason}`, at);
  }
  if (regex.programSize() > MAX_PROGRAM) {
    throw new LimitFault(
      `the regex ${JSON.stringify(pattern)} is too large when its repeats are written out`,
      at,
    );
  }
  if (compiled.size >= MAX_CACHED) compiled.clear();
  compiled.set(pattern, regex);
  return regex;
}
