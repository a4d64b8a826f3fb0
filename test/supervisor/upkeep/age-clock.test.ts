import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { type AgeClock, openAgeClock } from '../../../src/supervisor/upkeep/age-clock.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 29);

describe('the time by which things grow old', () => {
  let folder: string;
  let wall: number;
  let monotonic: number;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-age-'));
    wall = START;
    monotonic = 0;
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const file = (): string => join(folder, 'archive', '.age');
  const open = (): AgeClock =>
    openAgeClock(
      file(),
      () => wall,
      () => monotonic,
    );
  const pass = (ms: number): void => {
    wall += ms;
    monotonic += ms;
  };

  test('is the wall clock as long as that goes on as it should', () => {
    const ages = open();
    assert.equal(ages.now(), START);
    pass(DAY);
    assert.equal(ages.now(), START + DAY);
    wall -= HOUR;
    assert.equal(ages.now(), START + DAY - HOUR, 'never later than it');
  });

  test('follows a jump at the pace of a day an hour, over restarts too', () => {
    let ages = open();
    wall += 365 * DAY;
    pass(HOUR);
    assert.equal(ages.now(), START + DAY);
    ages.keep();
    // The next process has a monotonic clock of its own, and the time in between was nobody's.
    monotonic = 0;
    ages = open();
    assert.equal(ages.now(), START + DAY);
    pass(2 * HOUR);
    assert.equal(ages.now(), START + 3 * DAY);
    pass(400 * HOUR);
    assert.equal(ages.now(), wall);
  });

  test('does not catch up from a clock that had not been set yet', () => {
    wall = 1_000;
    open().keep();
    wall = START;
    const ages = open();
    assert.equal(ages.now(), Date.UTC(2026, 0, 1));
  });

  test('begins anew where what was noted cannot be read', () => {
    open().keep();
    writeFileSync(file(), 'x');
    wall += DAY;
    assert.equal(open().now(), START + DAY);
  });
});
