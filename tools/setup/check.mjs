import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/check/src/main.ts');
