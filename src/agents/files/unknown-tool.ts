import { didYouMean, nearest } from '../../errors/nearest.ts';
import { canonicalTool, nativeTool, TOOL_NAMES } from '../../guard/tools.ts';
import { familyOf } from '../native/tool-choice.ts';

/**
 * What is to be said of a name that stands for no tool of our own loop, or null. Patterns and tools of MCP servers are
 * not looked at. Who misspells a tool would otherwise learn it from a denial, or, where it was to be denied, never.
 */
export function unknownTool(name: string): string | null {
  if (/[*?@/]|___/.test(name)) return null;
  if (nativeTool(canonicalTool(name)) !== null || familyOf(name).length > 0) return null;
  return `"${name}" is no tool here${didYouMean(nearest(name, TOOL_NAMES))}`;
}
