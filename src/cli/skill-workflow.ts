import type { CheckedSkill } from './skills.ts';

/** Where the definition of such a run comes from: no file, so that nothing can change on disk. */
export const skillSource = (name: string): string => `skill:${name}`;

/** The text of a workflow whose one step is this skill. Its values are literals: none of them is taken for a reference. */
export function skillWorkflow({ name, inputs }: CheckedSkill): string {
  const id = `skill-${slug(name)}`;
  const literals = Object.entries(inputs).map(([key, value]) => [key, { literal: value }] as const);
  return `${JSON.stringify(
    {
      name: id,
      version: '1.0.0',
      description: `The skill ${name} alone.`,
      steps: [{ id, type: 'skill', skill: name, inputs: Object.fromEntries(literals) }],
    },
    null,
    2,
  )}\n`;
}

const MAX_NAME = 60;

/** Skills may have names that no step may have. */
function slug(name: string): string {
  const words = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_NAME)
    .replace(/^-+|-+$/g, '');
  return words === '' ? 'unnamed' : words;
}
