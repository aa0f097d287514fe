import { prepare } from './src/prepare.mjs';
import { projectNode } from './src/node.mjs';
import { capture } from './src/command.mjs';
import { runMain, say } from './src/setup-error.mjs';

// Asked for by name, a broker that cannot be had is a failure.
await runMain(async () => {
  await prepare(['--brokers=real', ...process.argv.slice(2)]);
  const node = projectNode();
  say('node', `${(await capture(node, ['--version'])).output} at ${node}`);
});
