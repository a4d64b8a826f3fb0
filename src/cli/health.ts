import { statfsSync } from 'node:fs';
import { connect } from '../client/client.ts';
import { ensureWorkflowError } from '../errors/workflow-error.ts';
import type { SupervisorStatus } from '../protocol/control.ts';
import { checkHome, checkWritable, type Home, locateHome } from '../protocol/home.ts';
import { bytes, styleFor } from './style.ts';
import { table, widthOf } from './table.ts';

/** One thing that was looked at. `missing` = works without it, but gives less. */
export interface HealthRow {
  readonly name: string;
  readonly state: 'ok' | 'missing' | 'broken';
  readonly detail: string;
  readonly fix: string | null;
}

/** Below this the state folder may soon take no more records. */
const LOW_SPACE_BYTES = 512 * 1024 * 1024;

/** Looks at Node, the home, the disk, the supervisor and what isolation it found. Starts nothing. */
export async function checkHealth(): Promise<HealthRow[]> {
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
  rows.push(diskRow(home));
  const { bubblewrapNotice } = await import('../../sandbox/layers.ts');
  const notice = await bubblewrapNotice();
  rows.push(
    notice === null
      ? ok('bubblewrap', 'found and works')
      : { name: 'bubblewrap', state: 'missing', detail: notice, fix: 'install the package bubblewrap' },
  );
  try {
    const client = await connect(home, 'must_run');
    const status = await client.call('supervisor.status', {});
    client.close();
    rows.push(ok('supervisor', `pid ${status.pid}, version ${status.version}`), ...isolationRows(status));
  } catch (error) {
    const known = ensureWorkflowError(error);
    rows.push({
      name: 'supervisor',
      state: 'missing',
      detail: `not running: ${known.message}`,
      fix: 'q workflow supervisor start (run starts it by itself)',
    });
  }
  return rows;
}

export function healthText(rows: readonly HealthRow[]): string {
  const style = styleFor(process.stdout);
  const marks = { ok: style.green('✓'), missing: style.yellow('!'), broken: style.red('✗') };
  const lines = rows.map((row) => [marks[row.state], row.name, row.detail]);
  const fixes = rows.flatMap((row) => (row.fix === null ? [] : [`  ${row.name}: ${row.fix}`]));
  return [
    table(['', '', ''], lines, widthOf(process.stdout)).replace(/^\n/, ''),
    ...(fixes.length === 0 ? [] : ['', 'What would help:', ...fixes]),
  ].join('\n');
}

function isolationRows(status: SupervisorStatus): HealthRow[] {
  const { backend, enforced, observed } = status.isolation;
  return [
    ok('isolation', `${backend}: enforced ${enforced.join(', ') || 'nothing'}`),
    ...(observed.length === 0
      ? []
      : [
          {
            name: 'observed limits',
            state: 'missing' as const,
            detail: `${observed.join(', ')} are watched, not enforced`,
            fix: 'start the supervisor where it may use cgroups (as root, or in a delegated systemd unit)',
          },
        ]),
  ];
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
