import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json } from '../../src/definition/workflow.ts';
import { loadExpressions } from '../../src/expression/expression.ts';
import { compileTemplate, templateSources } from '../../src/expression/template.ts';

await loadExpressions(['1']);

const scope = { stepIds: new Set(['fetch-data']), names: new Set(['n', 'list', 'none']) };
const render = (source: string): Json =>
  compileTemplate(source, scope).render({
    iteration: null,
    mutable: { n: 3 },
    readonly: { list: [1, 'a'], none: null },
    inputs: {},
    steps: () => ({ body: { a: 1 } }),
  });

test('values stand in the text, lists and maps as JSON, null as nothing', () => {
  assert.equal(
    render('a ${{ n + 1 }} b ${{ fetch-data.body }} ${{ list }}${{ none }}.'),
    'a 4 b {"a":1} [1,"a"].',
  );
});

test('a template that is one expression gives the value itself', () => {
  assert.equal(render('${{ n }}'), 3);
  assert.deepEqual(render('${{ fetch-data.body }}'), { a: 1 });
  assert.equal(render(' ${{ n }}'), ' 3');
});

test('$${{ is a literal ${{', () => {
  assert.equal(render('$${{ n }} is ${{ n }}'), '${{ n }} is 3');
});

test('braces inside strings and maps do not end an expression', () => {
  assert.equal(render('${{ "}}" }}!'), '}}!');
  assert.deepEqual(render('${{ {"a": {"b": n}} }}'), { a: { b: 3 } });
});

test('an unclosed expression and an error inside one give the column in the whole text', () => {
  assert.throws(() => compileTemplate('text ${{ n', scope), {
    column: 6,
    message: '"${{" is never closed by "}}"',
  });
  assert.throws(() => compileTemplate('text ${{ nn }}', scope), {
    column: 10,
    message: 'unknown name "nn"',
  });
});

test('text without ${{ stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      if (text.includes('${{') || text === '') return;
      assert.equal(render(text), text);
      assert.deepEqual(templateSources(text), []);
    }),
  );
});
