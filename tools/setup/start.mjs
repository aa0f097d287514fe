import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/dev/src/main.ts');
