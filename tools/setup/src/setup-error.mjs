/** Something that set-up cannot go on without. Its message is one line: what, where, what to do. */
export class SetupError extends Error {
  name = 'SetupError';
}

/** Prints one line about a part of the set-up to standard error, so that standard output stays the command's own. */
export function say(part, text) {
  process.stderr.write(`niobe: ${part.padEnd(8)} ${text}\n`);
}

/** Runs `main`; a {@link SetupError} becomes one line and exit code 1, anything else keeps its stack. */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    process.stderr.write(`niobe: error    ${error.message}\n`);
    process.exitCode = 1;
  }
}
