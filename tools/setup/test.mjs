import { runPrepared } from './src/prepare.mjs';

await runPrepared('tools/setup/src/verify/main.mjs');
