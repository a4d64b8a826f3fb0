/** Entry of bin/q and bin/q-workflow. Apart from the rest so that the rest comes out of the compile cache. */
import { enableCompileCache } from 'node:module';
import { standInForEntry } from './password-entry.ts';

enableCompileCache();
// Before anything of oclif, which asks for the home as soon as it is loaded.
standInForEntry(process.env);
// The whole command line in one file, made by scripts/build/command-line.ts; a key press in a shell needs little of it.
if (process.argv.slice(3, 5).includes('__complete')) require('./completion.cjs');
else require('./command-line.cjs');
