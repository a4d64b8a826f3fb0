import type { Client } from '../../client/client.ts';
import type { Json } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import { resolveTarget } from '../run/arguments.ts';
import { styleFor } from '../text/style.ts';
import { widthOf } from '../text/table.ts';
import { type Flow, flowOf } from './flow.ts';

export type GraphFormat = 'text' | 'mermaid' | 'svg';

/** What a name or path means: a definition; else an instance, with the states of its steps. */
export async function readFlow(client: Client, given: string, caller: Caller): Promise<Flow> {
  if (given === 'latest') return instanceFlow(client, given);
  try {
    const shown = await client.call('workflow.show', {
      target: resolveTarget(given, caller.workspace),
      caller,
    });
    return flowOf(shown.definition, `${shown.name} ${shown.version}`);
  } catch (error) {
    const isName = error instanceof WorkflowError && error.code === 'WORKFLOW_NOT_FOUND';
    // An id or the beginning of one; what cannot be one keeps the words about workflows.
    if (!isName || !/^[0-9a-z]{1,10}$/.test(given)) throw error;
    return instanceFlow(client, given).catch((second: unknown) => {
      if (second instanceof WorkflowError && second.code === 'INSTANCE_NOT_FOUND') throw error;
      throw second;
    });
  }
}

/** Text fits the terminal; the other two are files for other programs. */
export async function drawFlow(flow: Flow, format: GraphFormat): Promise<string> {
  switch (format) {
    case 'svg':
      return (await import('./svg.ts')).flowSvg(flow);
    case 'mermaid':
      return (await import('./mermaid.ts')).flowMermaid(flow);
    case 'text':
      return (await import('./text.ts')).flowText(flow, styleFor(process.stdout), widthOf(process.stdout));
  }
}

async function instanceFlow(client: Client, id: string): Promise<Flow> {
  const run = await client.call('instance.status', { id });
  const { definition } = await client.call('instance.definition', { id: run.id });
  return flowOf(
    definition satisfies Json,
    `${run.workflow} ${run.version}  ${run.id}  ${run.status}`,
    run.steps,
  );
}
