import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AUDIT_COLUMNS } from '../../../src/cli/audit/audit-list.ts';
import { COLUMN_NAMES } from '../../../src/cli/completion/columns.ts';
import { APPROVAL_COLUMNS } from '../../../src/cli/run/approval-list.ts';
import { ARCHIVE_COLUMNS } from '../../../src/cli/service/archive.ts';
import { SCHEDULE_COLUMNS } from '../../../src/cli/service/schedule-list.ts';
import { INSTANCE_COLUMNS, WORKFLOW_COLUMNS } from '../../../src/cli/text/lists.ts';
import { partColumns } from '../../../src/cli/text/parts.ts';

test('the columns that Tab offers are those of the lists', () => {
  const names = (columns: readonly { readonly name: string }[]): string[] => columns.map(({ name }) => name);
  assert.deepEqual(COLUMN_NAMES, {
    list: names(WORKFLOW_COLUMNS),
    status: names(INSTANCE_COLUMNS),
    approvals: names(APPROVAL_COLUMNS),
    'schedule list': names(SCHEDULE_COLUMNS),
    'skills list': names(partColumns('skills')),
    'agents list': names(partColumns('agents')),
    'audit list': names(AUDIT_COLUMNS),
    'archive list': names(ARCHIVE_COLUMNS),
  });
});
