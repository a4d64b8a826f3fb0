import type { SkillParameter } from '../skills/skill.ts';
import type { Choice } from './question.ts';
import { ranked, scoreOf } from './rank.ts';
import type { World } from './world.ts';

const GROUPS: readonly Choice[] = [
  { value: 'approval', name: 'ask a person', description: 'The run waits until someone approves.' },
  {
    value: 'parallel',
    name: 'several things at once',
    description: 'A group of steps that run side by side.',
  },
  {
    value: 'conditional',
    name: 'one thing or another',
    description: 'Steps that run only if a condition holds, others if not.',
  },
  {
    value: 'loop',
    name: 'something again and again',
    description: 'Steps that are repeated while a condition holds.',
  },
];
const NEW: readonly Choice[] = [
  {
    value: 'command:',
    name: 'a command that I type',
    description: 'Makes a skill of it, in .q-skills/ of the workspace.',
  },
  {
    value: 'prompt:',
    name: 'a prompt that I type',
    description: 'Fills a text with values; makes a skill of it.',
  },
];

/** What a step can be: the skills and agents whose words are in the purpose first, those that share none last. */
export function stepKinds({ skills, agents }: World, purpose: string, done: string | null): Choice[] {
  const parts = [
    ...skills.filter(isUsable).map((skill) => ({
      name: skill.name,
      description: skill.description,
      value: `skill:${skill.name}`,
      kind: 'skill',
      takes: skill.parameters.map(parameterText).join(', '),
    })),
    ...agents.filter(isUsable).map((agent) => ({
      name: agent.name,
      description: agent.description,
      value: `agent:${agent.name}`,
      kind: 'agent',
      takes: 'task: string',
    })),
  ];
  const choices = ranked(parts, purpose).map((part) => ({
    isMeant: scoreOf(part, purpose) > 0,
    choice: {
      value: part.value,
      name: `${part.kind} ${part.name}`,
      description: [part.description, part.takes === '' ? '' : `takes ${part.takes}`]
        .filter((text) => text !== '')
        .join(' · '),
    },
  }));
  const of = (isMeant: boolean): Choice[] =>
    choices.filter((each) => each.isMeant === isMeant).map(({ choice }) => choice);
  const end =
    done === null ? [] : [{ value: 'done', name: 'nothing more', description: 'These were all steps here.' }];
  return [...end, ...of(true), ...NEW, ...GROUPS, ...of(false)];
}

function isUsable({ problems }: { readonly problems: readonly unknown[] }): boolean {
  return problems.length === 0;
}

function parameterText({ name, type, isRequired, default: value }: SkillParameter): string {
  const rest = isRequired ? '' : value === undefined ? ', optional' : ` = ${JSON.stringify(value)}`;
  return `${name}: ${type}${rest}`;
}
