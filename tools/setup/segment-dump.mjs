import { prepareModules } from './src/modules.mjs';
import { continueWith } from './src/node.mjs';
import { inRoot } from './src/paths.mjs';
import { runMain } from './src/setup-error.mjs';

await runMain(async () => {
  await prepareModules();
  continueWith(inRoot('tools/segment-dump/src/main.ts'), process.argv.slice(2), {});
});
