import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/bench/src/main.ts');
