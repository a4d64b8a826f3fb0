/**
 * usage: npm run bench [-- --json] [-- --only NAME]   measures dist/ against bare Node in the same run
 * Medians; ratios carry over to another machine, milliseconds do not. Exit status 1 when a measure could not be made.
 */
import { parseArgs } from 'node:util';
import { agentStart } from './bench/agent-start.ts';
import { auditRow } from './bench/audit.ts';
import { openBench } from './bench/bench-home.ts';
import { burst } from './bench/burst.ts';
import { completeCommand, listCommand, runCommand } from './bench/commands.ts';
import { cpuQuota, sampling } from './bench/cpu.ts';
import { decision } from './bench/decision.ts';
import { killFleet, killTree } from './bench/kill.ts';
import { logs } from './bench/logs.ts';
import type { Result } from './bench/measure.ts';
import { instanceMemory, supervisorMemory } from './bench/memory.ts';
import { memoryLimit } from './bench/memory-limit.ts';
import { permit } from './bench/permit.ts';
import { pollingOvershoot } from './bench/polling-overshoot.ts';
import { redraw } from './bench/redraw.ts';
import { resultsDocument, resultsTable } from './bench/report.ts';
import { resume } from './bench/resume.ts';
import { sandboxedStep } from './bench/sandbox.ts';
import { schedules } from './bench/schedules.ts';
import { adoption, loopDelay } from './bench/service.ts';
import { commandSteps, inlineStep } from './bench/steps.ts';

// Memory first: what the heavy measures leave behind is not idle.
const MEASURES = [
  supervisorMemory,
  instanceMemory,
  listCommand,
  completeCommand,
  runCommand,
  auditRow,
  decision,
  permit,
  redraw,
  logs,
  inlineStep,
  commandSteps,
  sandboxedStep,
  agentStart,
  killTree,
  killFleet,
  memoryLimit,
  pollingOvershoot,
  cpuQuota,
  sampling,
  resume,
  loopDelay,
  burst,
  adoption,
  schedules,
];

const { values: flags } = parseArgs({
  options: { json: { type: 'boolean', default: false }, only: { type: 'string', multiple: true } },
});
const chosen = MEASURES.filter((measure) => flags.only?.includes(measure.name) ?? true);
if (chosen.length === 0) {
  process.stderr.write(`no such measure; there are ${MEASURES.map(({ name }) => name).join(', ')}\n`);
  process.exit(2);
}

const results: Result[] = [];
const bench = await openBench();
try {
  for (const measure of chosen) {
    process.stderr.write(`measuring ${measure.name} …\n`);
    try {
      results.push(...(await measure.run(bench)));
    } catch (error) {
      process.exitCode = 1;
      process.stderr.write(
        `${measure.name} could not be measured: ${error instanceof Error ? error.message : String(error)}\n`,
      );
    }
  }
} finally {
  await bench.close();
}
process.stdout.write(`${flags.json ? JSON.stringify(resultsDocument(results)) : resultsTable(results)}\n`);
