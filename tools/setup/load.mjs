import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/load/src/main.ts');
