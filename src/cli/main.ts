/** Entry of bin/q and bin/q-workflow. Apart from the rest so that the rest comes out of the compile cache. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// The whole command line in one file, made by scripts/build/command-line.ts; a key press in a shell needs little of it.
if (process.argv.slice(3, 5).includes('__complete')) require('./completion.cjs');
else require('./command-line.cjs');
