import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkCycles } from '../../scripts/check/import-cycles.ts';

const module = (file: string, ...lines: string[]) => ({ file, text: lines.join('\n'), lines: lines.length });

test('modules that need each other are named with the way round, types and lazy imports too', () => {
  const found = checkCycles([
    module('src/a/one.ts', "import type { Two } from '../b/two.ts';"),
    module('src/b/two.ts', 'import {', '  three,', "} from './three.ts';"),
    module('src/b/three.ts', "const { one } = await import('../a/one.ts');"),
    module('src/b/apart.ts', "import './two.ts';"),
  ]);
  assert.deepEqual(
    found.map(({ message }) => message.split(';')[0]),
    ['imports itself: src/a/one.ts → src/b/two.ts → src/b/three.ts → src/a/one.ts'],
  );
});

test('two that need the same third are no circle, nor is an import of something else', () => {
  const found = checkCycles([
    module('src/a.ts', "import { c } from './c.ts';", "import { b } from './b.ts';"),
    module('src/b.ts', "import { c } from './c.ts';"),
    module('src/c.ts', "import { join } from 'node:path';", "import { outside } from '../outside.ts';"),
  ]);
  assert.deepEqual(found, []);
});
