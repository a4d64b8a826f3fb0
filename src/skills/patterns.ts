/** Tells whether a text matches a pattern anywhere in it. */
export type PatternTest = (pattern: string, text: string) => boolean;

/**
 * A matcher of linear time (RE2 rules: no look-around, no back-references), loaded only when a skill has patterns.
 * Throws the engine's own error for a pattern that it does not understand.
 */
export async function loadPatternTest(): Promise<PatternTest> {
  const { RE2JS } = await import('re2js');
  return (pattern, text) => RE2JS.compile(pattern).matcher(text).find();
}
