import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listInstances } from '../../../src/cli/text/instance-pages.ts';
import type { Client } from '../../../src/client/client.ts';
import type { InstanceSummary } from '../../../src/protocol/control.ts';

interface Request {
  readonly limit: number;
  readonly after?: string;
}

/** A supervisor with so many runs; one of an older version knows of no `after`. */
function supervisorWith(count: number, isOld = false): { client: Pick<Client, 'call'>; asked: Request[] } {
  const ids = Array.from({ length: count }, (_, index) => String(index));
  const asked: Request[] = [];
  const call = async (_: string, request: Request): Promise<InstanceSummary[]> => {
    asked.push(request);
    const from = isOld || request.after === undefined ? 0 : ids.indexOf(request.after) + 1;
    return ids.slice(from, from + request.limit).map((id) => ({ id }) as InstanceSummary);
  };
  return { client: { call: call as Client['call'] }, asked };
}

test('runs are listed page by page, up to as many as are wanted', async () => {
  const { client, asked } = supervisorWith(2500);
  const all = await listInstances(client, false, 100_000);
  assert.deepEqual(
    all.map(({ id }) => Number(id)),
    Array.from({ length: 2500 }, (_, index) => index),
  );
  assert.deepEqual(
    asked.map(({ after }) => after),
    [undefined, '999', '1999'],
  );
  assert.equal((await listInstances(client, false, 51)).length, 51);
  assert.equal((await listInstances(client, false, 1500)).length, 1500);
  assert.equal(asked.length, 3 + 1 + 2);
});

test('a supervisor of an older version is not asked for ever', async () => {
  const { client, asked } = supervisorWith(2500, true);
  assert.equal((await listInstances(client, false, 100_000)).length, 1000);
  assert.equal(asked.length, 2);
});
