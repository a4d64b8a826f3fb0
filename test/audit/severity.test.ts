import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isUrgent, severityOf } from '../../src/audit/severity.ts';

test('a record is as grave as its type, a refusal and a bad end say', () => {
  assert.equal(severityOf('step.completed', {}), 'info');
  assert.equal(severityOf('supervisor.started', {}), 'notice');
  assert.equal(severityOf('supervisor.recovered', {}), 'warning');
  assert.equal(severityOf('audit.anchor_fault', {}), 'error');
  assert.equal(severityOf('permit.decided', { decision: 'allow' }), 'info');
  assert.equal(severityOf('permit.decided', { decision: 'deny' }), 'warning');
  assert.equal(severityOf('run.ended', { status: 'completed' }), 'info');
  assert.equal(severityOf('run.ended', { status: 'failed' }), 'warning');
});

test('kills are signed at once', () => {
  assert.equal(isUrgent('instance.kill_requested', {}), true);
  assert.equal(isUrgent('kill.tripped', {}), true);
  assert.equal(isUrgent('run.ended', { status: 'killed' }), true);
  assert.equal(isUrgent('run.ended', { status: 'stopped' }), false);
  assert.equal(isUrgent('step.completed', {}), false);
});
