import { enableCompileCache } from 'node:module';
import { join, resolve } from 'node:path';

/** Where compiled modules are kept: from the second start on they are not compiled again, which is half of what a start takes. */
const COMPILE_CACHE: string = join(resolve(import.meta.dirname, '../../..'), '.niobe/compile-cache');

enableCompileCache(COMPILE_CACHE);
const { main } = await import('./load-command.ts');
process.exitCode = await main(process.argv.slice(2));
