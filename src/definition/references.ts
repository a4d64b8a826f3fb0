import type { InputValue, Step } from './workflow.ts';
export function stepReferences(step: Step, scope: { stepIds: ReadonlySet<string> }): readonly string[] {
  const out = new Set<string>();
  const visit = (v: InputValue): void => {
    if (v.kind === 'ref' && scope.stepIds.has(String(v.segments[0]))) out.add(String(v.segments[0]));
    if (v.kind === 'template') for (const id of scope.stepIds) if (v.source.includes(id)) out.add(id);
    if (v.kind === 'array') v.items.forEach(visit);
    if (v.kind === 'object') Object.values(v.fields).forEach(visit);
  };
  if (step.type === 'skill' || step.type === 'agent') Object.values(step.inputs).forEach(visit);
  else if (step.type !== 'parallel') for (const id of scope.stepIds) if (step.condition.includes(id)) out.add(id);
  return [...out];
}
