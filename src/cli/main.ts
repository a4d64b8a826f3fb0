/** Entry of bin/q and bin/q-workflow. Apart from the rest so that the rest comes out of the compile cache. */
import { enableCompileCache } from 'node:module';

enableCompileCache();
// The whole command line in one file, made by scripts/build/command-line.ts.
require('./command-line.cjs');
