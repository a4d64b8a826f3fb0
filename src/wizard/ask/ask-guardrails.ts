import type { JsonObject } from '../../definition/workflow.ts';
import { type StepAnswer, textOf } from '../answers/answers.ts';
import { ask, choose, type Flow } from '../question.ts';
import { readWords } from '../units.ts';
import { askFigures, type Figure } from './ask-figures.ts';

const FIGURES: readonly Figure[] = [
  { key: 'max_iterations', text: 'At most how many answers of the model?', unit: 'number' },
  { key: 'max_tool_calls', text: 'At most how many tool calls?', unit: 'number' },
  { key: 'max_tokens', text: 'At most how many tokens?', unit: 'number' },
  { key: 'max_cost_usd', text: 'At most how many US dollars?', unit: 'number' },
  { key: 'max_execution_time', text: 'How long may it work?', unit: 'seconds' },
];
const TOOLS = [
  { key: 'allowed_tools', text: 'The only tools that it may call, with commas (empty: those of its file)' },
  { key: 'denied_tools', text: 'Tools that it may never call, with commas' },
] as const;

/** What keeps an agent in bounds, beside the policies that hold anyway. Answers the step with it. */
export function* askGuardrails(
  id: string,
  step: StepAnswer,
  fault: (step: StepAnswer) => Promise<string | null>,
): Flow<StepAnswer> {
  const { guardrails: before, ...bare } = step;
  const current = typeof before === 'object' && before !== null && !Array.isArray(before) ? before : {};
  const hasSome = Object.keys(current).length > 0;
  const chosen = yield* choose(id, 'Guardrails of the agent', [
    hasSome
      ? { value: 'keep', name: `as they are: ${Object.keys(current).join(', ')}` }
      : {
          value: 'keep',
          name: 'the usual ones',
          description:
            'The limits of docs/agents.md and the policies that hold here: q workflow policy explain.',
        },
    { value: 'set', name: 'set limits and tools', description: 'Each may be left empty.' },
  ]);
  if (chosen === 'keep') return step;
  const guarded = (guardrails: JsonObject): StepAnswer =>
    ({ ...bare, ...(Object.keys(guardrails).length === 0 ? {} : { guardrails }) }) as StepAnswer;
  let given = yield* askFigures(id, FIGURES, current, (figures) => fault(guarded(figures)));
  for (const { key, text } of TOOLS) {
    const { [key]: tools, ...others } = given;
    const withTools = (reply: string): JsonObject => {
      const names = reply.trim() === '-' ? [] : [...readWords(reply)];
      return { ...others, ...(names.length === 0 ? {} : { [key]: names }) };
    };
    const reply = yield* ask(`${id}/${key}`, text, {
      standard: Array.isArray(tools) ? tools.map(textOf).join(', ') : '',
      check: (each) => fault(guarded(withTools(each))),
    });
    given = withTools(reply);
  }
  return guarded(given);
}
