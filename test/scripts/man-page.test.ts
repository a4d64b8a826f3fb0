import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manPage } from '../../scripts/generate-man-page.ts';

const page = manPage(
  [
    {
      id: 'workflow:skills:run',
      description: "Runs it; see docs/x.md.\n.It isn't a request – but text with a \\ in it.",
      examples: ['<%= config.bin %> workflow skills run a-b && <%= config.bin %> workflow status'],
      args: { skill: { name: 'skill', description: 'its name', required: true }, more: { name: 'more' } },
      flags: {
        json: { name: 'json', type: 'boolean', description: 'print JSON' },
        param: {
          name: 'param',
          char: 'p',
          type: 'option',
          multiple: true,
          description: 'a value',
          helpValue: 'k=v',
          env: 'PARAM',
        },
        limit: { name: 'limit', type: 'option', default: 50, options: ['a', 'b'] },
        secret: { name: 'secret', type: 'boolean', hidden: true },
      },
    },
    { id: 'workflow:__complete', hidden: true },
    { id: 'workflow:mcp' },
  ],
  '1.2.3',
);

test('the man page names each command that is shown, in order, with its arguments', () => {
  assert.deepEqual(
    page.split('\n').filter((line) => line.startsWith('.SS ')),
    ['.SS mcp', '.SS skills run skill [more]'],
  );
  assert.match(page, /^\.TH Q\\-WORKFLOW 1 "" "q\\-workflow 1\.2\.3"/m);
});

test('text never becomes a request, and has no letter outside of ASCII', () => {
  assert.match(page, /^\\&\.It isn\\\(aqt a request \\\[u2013\] but text with a \\e in it\.$/m);
  assert.match(page, /^[\n -~]*$/);
});

test('examples are those of the own bin, with hyphens that can be copied', () => {
  assert.match(page, /^q\\-workflow skills run a\\-b && q\\-workflow status$/m);
});

test('a flag has its letter, value, default and variable; common and hidden ones are left out', () => {
  assert.match(
    page,
    /^\.TP\n\\fB\\-p\\fR, \\fB\\-\\-param\\fR \\fIk=v\\fR\na value \(may be given several times; else PARAM\)$/m,
  );
  assert.match(page, /^\\fB\\-\\-limit\\fR \\fIa\|b\\fR\n\(default 50\)$/m);
  assert.doesNotMatch(page, /secret/);
  const [, commands = ''] = page.split('.SH COMMANDS');
  assert.doesNotMatch(commands, /\\-\\-json/);
});
