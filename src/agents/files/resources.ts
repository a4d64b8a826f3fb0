import type { Fields } from '../../skills/fields.ts';

const FILE = 'file://';
/** A pattern is shown to a model: one that spans lines could be a prompt of its own. */
const MAX_PATTERN = 500;

/**
 * What the agent file names as `resources`, as a passage of its prompt: files and patterns to be read with the tools of
 * the agent, so that policies decide about each of them. Empty when there are none. What is no file is noted.
 */
export function readResources(fields: Fields): string {
  const value = fields.raw('resources');
  if (value === undefined) return '';
  if (!Array.isArray(value)) {
    fields.notes.error(fields.at('resources'), 'must be a list');
    return '';
  }
  const names: string[] = [];
  for (const [index, entry] of value.entries()) {
    const name = typeof entry === 'string' && entry.startsWith(FILE) ? entry.slice(FILE.length).trim() : '';
    if (name === '' || name.length > MAX_PATTERN || /[\u0000-\u001f\u007f\u2028\u2029]/.test(name))
      fields.notes.warn(
        `${fields.at('resources')}[${index}]`,
        'is not used: only file:// paths and patterns are',
      );
    else names.push(name);
  }
  if (names.length === 0) return '';
  const list = names.map((name) => `- ${name}`).join('\n');
  return `Files that belong to your task, as paths or patterns. Read with your tools those that matter:\n${list}`;
}
