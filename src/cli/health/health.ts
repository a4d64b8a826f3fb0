import { existsSync, statfsSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import type { DoctorRow } from '../../../sandbox/describe.ts';
import { connect } from '../../client/client.ts';
import { ensureWorkflowError, systemCode } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import type { SupervisorStatus } from '../../protocol/control.ts';
import { readDrillNote } from '../../protocol/drill-note.ts';
import { checkHome, checkWritable, type Home, locateHome } from '../../protocol/home.ts';
import { packageRoot } from '../../protocol/install.ts';
import { drillRow } from '../kill/drill-health.ts';
import { backupRow } from '../service/backup.ts';
import { displayWidth } from '../text/display-width.ts';
import type { Screen } from '../text/screen.ts';
import { bytes } from '../text/style.ts';
import { wrapped } from '../text/wrap.ts';
import { agentRow } from './agent-health.ts';
import type { HealthRow } from './health-row.ts';
import { policyPlaceRows, policyRow } from './policy-health.ts';

/** Below this the state folder may soon take no more records. */
const LOW_SPACE_BYTES = 512 * 1024 * 1024;

/** Looks at Node, the home, the disk, the caller's policies, the supervisor and what isolation it found. Starts nothing. */
export async function checkHealth(caller: Caller): Promise<HealthRow[]> {
  const rows: HealthRow[] = [ok('node', `${process.version} at ${process.execPath}`)];
  const home = locateHome();
  try {
    checkHome(home);
    checkWritable(home);
    rows.push(ok('home', home.folder));
  } catch (error) {
    const known = ensureWorkflowError(error);
    rows.push({ name: 'home', state: 'broken', detail: known.message, fix: known.hint });
    return rows;
  }
  rows.push(diskRow(home), backupRow(home, existsSync(home.database), Date.now()));
  rows.push(
    ...(await layerRows()),
    agentRow(process.env['PATH'] ?? '', [join(packageRoot(), 'bin', 'q'), process.argv[1] ?? '']),
    await policyRow(caller),
    drillRow(readDrillNote(home), Date.now()),
  );
  try {
    const client = await connect(home, 'must_run');
    const status = await client.call('supervisor.status', {});
    client.close();
    rows.push(
      ok('supervisor', `pid ${status.pid}, version ${status.version}`),
      ...status.problems.map((problem) => ({
        name: 'supervisor',
        state: 'missing' as const,
        detail: problem,
        fix: 'q workflow supervisor status',
      })),
      ...policyPlaceRows(caller, status, process.env),
      ...(await isolationRows(status)),
    );
  } catch (error) {
    const known = ensureWorkflowError(error);
    const isAbsent = known.code === 'SUPERVISOR_UNREACHABLE';
    rows.push({
      name: 'supervisor',
      state: 'missing',
      detail: isAbsent
        ? `not running: ${known.message}`
        : `it runs and does not say how it is: ${known.message}`,
      fix: isAbsent
        ? 'q workflow supervisor start (run starts it by itself)'
        : 'q workflow supervisor status',
    });
  }
  return rows;
}

async function layerRows(): Promise<HealthRow[]> {
  const { probeLayers } = await import('../../../sandbox/layers.ts');
  const { describeLayers, describeLingering } = await import('../../../sandbox/describe.ts');
  const lingering = describeLingering(userName());
  return [...describeLayers(await probeLayers()), ...(lingering === null ? [] : [lingering])].map(healthRow);
}

/** A uid without an entry, as in many containers, has no name but its number. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch (error) {
    if (systemCode(error) !== 'ERR_SYSTEM_ERROR') throw error;
    return String(process.getuid?.());
  }
}

async function isolationRows({ isolation, missing }: SupervisorStatus): Promise<HealthRow[]> {
  const { describeIsolation } = await import('../../../sandbox/describe.ts');
  return describeIsolation({ ...isolation, missing }).map(healthRow);
}

function healthRow({ name, ok: isWell, detail, fix }: DoctorRow): HealthRow {
  return { name, state: isWell ? 'ok' : 'missing', detail, fix: isWell ? null : fix };
}

export function healthText(rows: readonly HealthRow[], { style, width }: Screen): string {
  const marks = { ok: style.green('✓'), missing: style.yellow('!'), broken: style.red('✗') };
  const nameWidth = rows.reduce((most, { name }) => Math.max(most, displayWidth(name)), 0);
  const lines = rows.flatMap(({ name, state, detail }) =>
    wrapped(`${marks[state]}  ${name}${' '.repeat(nameWidth - displayWidth(name))}  `, detail, width),
  );
  const fixes = [...Map.groupBy(rows, ({ fix }) => fix)].flatMap(([fix, fixed]) => {
    if (fix === null) return [];
    const names = fixed.map(({ name }) => name).join(', ');
    return fixed.length === 1
      ? wrapped(`  ${names}: `, fix, width)
      : [...wrapped('  ', `${names}:`, width), ...wrapped('    ', fix, width)];
  });
  return [...lines, ...(fixes.length === 0 ? [] : ['', 'What would help:', ...fixes])].join('\n');
}

function diskRow(home: Home): HealthRow {
  try {
    const { bavail, bsize } = statfsSync(home.folder);
    const free = bavail * bsize;
    return free > LOW_SPACE_BYTES
      ? ok('disk', `${bytes(free)} free for the state folder`)
      : {
          name: 'disk',
          state: 'broken',
          detail: `only ${bytes(free)} free`,
          fix: `free space where ${home.folder} is`,
        };
  } catch (error) {
    return ok('disk', `the state folder is made at the first run (${ensureWorkflowError(error).message})`);
  }
}

function ok(name: string, detail: string): HealthRow {
  return { name, state: 'ok', detail, fix: null };
}
