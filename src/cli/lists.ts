import type { InstanceSummary, WorkflowSummary } from '../protocol/control.ts';
import { ago, duration, mark, plural, printable, styleFor } from './style.ts';
import { table, widthOf } from './table.ts';

export function workflowTable(workflows: readonly WorkflowSummary[]): string {
  if (workflows.length === 0)
    return [
      'No workflows here yet.',
      'Put a file into .amazonq/workflows/ of this folder, or register one: q workflow register <file>',
      'A first one to try: q workflow run examples/repo-report.json',
    ].join('\n');
  const style = styleFor(process.stdout);
  return table(
    ['NAME', 'VERSION', 'FROM', 'DESCRIPTION'].map(style.dim),
    workflows.map((workflow) => [
      workflow.is_valid ? workflow.name : style.red(workflow.name),
      workflow.version || '–',
      workflow.source,
      workflow.is_valid
        ? printable(workflow.description)
        : style.red(`${plural(workflow.problems.length, 'problem')}: q workflow validate ${workflow.file}`),
    ]),
    widthOf(process.stdout),
  );
}

export function instanceTable(instances: readonly InstanceSummary[], isAll: boolean): string {
  if (instances.length === 0)
    return isAll
      ? 'Nothing has run yet. Start something: q workflow run <name|file>'
      : 'Nothing is running. See what has run: q workflow status --all';
  const style = styleFor(process.stdout);
  const now = Date.now();
  return table(
    ['ID', 'WORKFLOW', 'STATUS', 'STARTED', 'TOOK', 'REASON'].map(style.dim),
    instances.map((instance) => [
      instance.id,
      `${instance.workflow} ${style.dim(instance.version)}`,
      `${mark(instance.status, style)} ${instance.status}`,
      ago(instance.started_at ?? instance.created_at, now),
      instance.started_at === null
        ? '–'
        : duration(
            (instance.ended_at === null ? now : Date.parse(instance.ended_at)) -
              Date.parse(instance.started_at),
          ),
      instance.reason === null || instance.reason === 'completed' ? '' : printable(instance.reason),
    ]),
    widthOf(process.stdout),
  );
}
