import type { Problem } from '../../errors/workflow-error.ts';
import { append } from '../json-path.ts';
import type { Roster } from '../roster.ts';
import { warningAt } from './problem.ts';

/** Inputs of a skill whose names differ, but not as variables of its command, where only one of them arrives. */
export function checkVariables({ all }: Roster): readonly Problem[] {
  return all.flatMap(({ step, path }) => {
    if (step.type !== 'skill') return [];
    const first = new Map<string, string>();
    return Object.keys(step.inputs ?? {})
      .toSorted()
      .flatMap((name) => {
        const variable = name.replaceAll(/[^A-Za-z0-9_]/g, '_');
        const other = first.get(variable);
        if (other === undefined) first.set(variable, name);
        return other === undefined
          ? []
          : [warningAt(append(append(path, 'inputs'), name), told(other, name, variable))];
      });
  });
}

const told = (one: string, other: string, variable: string): string =>
  `a command gets "${one}" and "${other}" as one variable, SKILL_PARAM_${variable}; both are on its standard input`;
