import assert from 'node:assert/strict';
import test from 'node:test';
import { readCommand } from '../../../src/guard/command/read-command.ts';
import { SHELL_BYPASSES } from '../bypasses/shell.ts';
import { sees } from './support.ts';

for (const { name, command, mustSee, orProblem, isProblem, isHazard } of SHELL_BYPASSES) {
  test(`nothing runs unseen: ${name}`, () => {
    const reading = readCommand(command);
    const isUnsure = reading.problems.length > 0;
    for (const marker of mustSee)
      assert.ok(
        sees(reading, marker) || (orProblem === true && isUnsure),
        `${marker} is not seen: ${JSON.stringify(reading, null, 1)}`,
      );
    if (isProblem === true) assert.ok(isUnsure, `no problem: ${JSON.stringify(reading, null, 1)}`);
    if (isHazard === true)
      assert.ok(reading.hazards.length > 0, `no hazard: ${JSON.stringify(reading, null, 1)}`);
  });
}

test('no name of a bypass stands twice', () => {
  const names = SHELL_BYPASSES.map(({ name }) => name);
  assert.deepEqual(
    names.filter((name, index) => names.indexOf(name) !== index),
    [],
  );
});
