import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkArguments, inputSchema } from '../../../src/cli/mcp/check-arguments.ts';
import type { Tool } from '../../../src/cli/mcp/tool.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';

const TOOL: Tool = {
  name: 'try_it',
  title: '',
  description: '',
  effect: 'reads',
  arguments: {
    id: { type: 'string', description: '', maxLength: 5 },
    stream: { type: 'string', description: '', enum: ['stdout', 'stderr'] },
    tail: { type: 'integer', description: '', minimum: 1, maximum: 10 },
    force: { type: 'boolean', description: '' },
    inputs: { type: 'object', description: '' },
  },
  required: ['id'],
  result: {},
  call: () => assert.fail('is not called'),
};

function problemsOf(given: unknown): string[] {
  try {
    checkArguments(TOOL, given);
    return [];
  } catch (error) {
    assert.ok(error instanceof WorkflowError && error.code === 'USAGE');
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('arguments of MCP tools', () => {
  test('what fits the schema is taken as it is', () => {
    const given = { id: 'abc', stream: 'stdout', tail: 10, force: false, inputs: { a: [1] } };
    assert.deepEqual(checkArguments(TOOL, given), given);
  });

  test('each wrong value is named with what is allowed', () => {
    assert.deepEqual(problemsOf({ id: 1, stream: 'both', tail: 11, force: 'yes', inputs: [] }), [
      'id must be a text, not 1',
      'stream must be one of stdout, stderr, not "both"',
      'tail must be a whole number from 1 to 10, not 11',
      'force must be true or false, not "yes"',
      'inputs must be a JSON object, not []',
    ]);
    assert.deepEqual(problemsOf({ id: '123456', tail: 1.5, inputs: null }), [
      'id must have at most 5 characters, not 6',
      'tail must be a whole number from 1 to 10, not 1.5',
      'inputs must be a JSON object, not null',
    ]);
  });

  test('missing and unknown names are told, with the likely one', () => {
    assert.deepEqual(problemsOf({ ids: 'abc', constructor: 1 }), [
      'id is required and was not given',
      'ids is no argument of it; did you mean "id"?; there are id, stream, tail, force, inputs',
      'constructor is no argument of it; there are id, stream, tail, force, inputs',
    ]);
    assert.deepEqual(problemsOf(undefined), ['id is required and was not given']);
    assert.deepEqual(problemsOf([]), ['$ no JSON object']);
    assert.deepEqual(problemsOf('id'), ['$ no JSON object']);
  });

  test('the schema that clients get allows nothing else', () => {
    const schema = inputSchema(TOOL);
    assert.deepEqual(
      [schema['type'], schema['required'], schema['additionalProperties']],
      ['object', ['id'], false],
    );
  });
});
