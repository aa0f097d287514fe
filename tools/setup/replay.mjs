import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/replay/src/main.ts');
