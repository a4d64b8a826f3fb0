import type { LeafStep } from '../definition/workflow.ts';

/** What a step starts, by name: its skill or agent. One that only asks is its own. */
export function subjectOf(step: LeafStep): string {
  switch (step.type) {
    case 'skill':
      return step.skill;
    case 'agent':
      return step.agent;
    case 'approval':
      return step.id;
  }
}
