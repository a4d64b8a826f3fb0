/** Tells whether a text matches a pattern anywhere in it. */
export type PatternTest = (pattern: string, text: string) => boolean;

/** Instructions of the pattern times characters of the text; some seconds on a busy machine. */
const MAX_STEPS = 20_000_000;

/**
 * A matcher of linear time (RE2 rules: no look-around, no back-references), loaded only when a skill has patterns.
 * Throws the engine's own error for a pattern that it does not understand, and a RangeError where pattern and text
 * together would keep the process from anything else for long: written out, repeats are large.
 */
export async function loadPatternTest(): Promise<PatternTest> {
  const { RE2JS } = await import('re2js');
  return (pattern, text) => {
    const compiled = RE2JS.compile(pattern);
    if (compiled.programSize() * text.length > MAX_STEPS)
      throw new RangeError(`it would take too long on ${text.length} characters`);
    return compiled.matcher(text).find();
  };
}
