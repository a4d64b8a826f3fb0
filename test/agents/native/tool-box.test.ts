import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { mcpTools } from '../../../src/agents/mcp/tools.ts';
import { createToolBox, TOLD_NAME, type Tool } from '../../../src/agents/native/tool-box.ts';

const tool = (name: string, told = name): Tool => ({
  tool: name,
  spec: { name: told, description: '', inputSchema: { type: 'object' } },
  check: () => null,
  run: async () => ({ isError: false, text: name }),
});
const boxOf = (tools: readonly Tool[]) => createToolBox(tools, () => null);
const toldNames = (tools: readonly Tool[]): string[] => boxOf(tools).specs.map(({ name }) => name);
const offered = (names: readonly string[]): Tool[] =>
  mcpTools(
    'srv',
    { call: async () => ({ isError: false, text: '' }) },
    names.map((name) => ({ name })),
    { mayHave: () => true, alias: () => null },
  );

describe('no two tools of an agent have one name', () => {
  test('names that are equal once they are made fit for providers get a mark of their own each', () => {
    const long = 'x'.repeat(80);
    const names = toldNames(offered(['a.b', 'a b', `${long}1`, `${long}2`, 'plain']));
    assert.equal(new Set(names).size, 5);
    assert.deepEqual(
      names.filter((name) => !TOLD_NAME.test(name)),
      [],
    );
    assert.equal(names.at(-1), 'srv___plain');
    assert.match(names[0] ?? '', /^srv___a_b_[0-9a-f]{8}$/);
  });

  test('an alias that another tool has is not used; one that is the name of another tool means what was told', () => {
    assert.deepEqual(toldNames([tool('fs_read'), tool('execute_bash', 'fs_read')]), [
      'fs_read',
      'execute_bash',
    ]);
    const swapped = boxOf([tool('fs_list', 'search'), tool('search', 'fs_list')]);
    assert.deepEqual([swapped.find('search')?.tool, swapped.find('fs_list')?.tool], ['fs_list', 'search']);
  });

  test('a tool that is listed twice is one', () => {
    assert.deepEqual(toldNames(offered(['one', 'two', 'one'])), ['srv___one', 'srv___two']);
  });

  test('whatever a server calls them, each is found by its name, in whatever order they are listed', () => {
    const odd = fc.oneof(
      fc.string({ maxLength: 90 }),
      fc.constantFrom('a.b', 'a_b', 'a b', 'a/b', '__proto__', 'constructor', 'é', 'y'.repeat(70)),
    );
    fc.assert(
      fc.property(
        fc.array(odd, { maxLength: 12 }),
        fc.array(fc.constantFrom('fs_read', 'q', 'srv___a_b')),
        (names, aliases) => {
          const tools = [
            ...['fs_read', 'search', 'exec'].map((name, index) => tool(name, aliases[index] ?? name)),
            ...offered(names),
          ];
          const box = boxOf(tools);
          const told = box.specs.map(({ name }) => name);
          assert.equal(new Set(told).size, told.length);
          assert.equal(told.length, new Set(tools.map((each) => each.tool)).size);
          const turned = boxOf([...tools.slice(0, 3), ...tools.slice(3).reverse()]);
          for (const name of told) {
            assert.match(name, TOLD_NAME);
            assert.equal(box.find(name)?.spec.name, name);
            assert.equal(turned.find(name)?.tool, box.find(name)?.tool);
          }
        },
      ),
    );
  });
});

describe('what a server says of its tools', () => {
  test('a name that nobody could read is left out', () => {
    assert.deepEqual(
      offered(['ok', 'a\u001b[2Jb', 'a\nb', 'a\u{e0041}', '\u202eab', 'z'.repeat(300)]).map(
        (each) => each.tool,
      ),
      ['@srv/ok'],
    );
  });

  test('the words of a schema are cleaned, whatever else is in it stays; one without a bottom is none', () => {
    const schemaOf = (inputSchema: unknown) =>
      mcpTools('srv', { call: async () => ({ isError: false, text: '' }) }, [{ name: 'one', inputSchema }], {
        mayHave: () => true,
        alias: () => null,
      })[0]?.spec.inputSchema;
    assert.deepEqual(
      schemaOf({
        properties: {
          description: { type: 'string', description: 'a\u{e0041}b\u001b[2J', pattern: '^\u200b$' },
          list: { type: 'array', items: { title: 'x\u202ey', enum: ['\u200b'] } },
        },
      }),
      {
        type: 'object',
        properties: {
          description: { type: 'string', description: 'ab', pattern: '^\u200b$' },
          list: { type: 'array', items: { title: 'xy', enum: ['\u200b'] } },
        },
      },
    );
    let deep: unknown = {};
    for (let n = 0; n < 100_000; n += 1) deep = { items: deep };
    assert.deepEqual(schemaOf(deep), { type: 'object' });
  });
});
