import { type Answers, type StepAnswer, textOf } from './answers/answers.ts';

/** The fields of a step's result that can be named: those that it declares, then what steps of its kind always have. */
export function outputsOf(step: StepAnswer, newSkills: Answers['new_skills']): readonly string[] {
  const declared = Array.isArray(step['outputs']) ? step['outputs'].map(String) : [];
  return [...new Set([...declared, ...usualFields(step, newSkills)])];
}

function usualFields(step: StepAnswer, newSkills: Answers['new_skills']): readonly string[] {
  switch (step.type) {
    case 'agent':
      return ['text'];
    case 'skill': {
      const name = textOf(step['skill']);
      const made = Object.hasOwn(newSkills, name) ? newSkills[name] : undefined;
      return made?.type === 'prompt_inline' ? ['text'] : ['stdout', 'exit_code'];
    }
    // Groups have results of their own, but people mean those of the steps in them.
    case 'approval':
    case 'parallel':
    case 'loop':
    case 'conditional':
      return [];
  }
}
