import { capture, findOnPath } from './command.mjs';

const ASK_TIMEOUT_MS = 10_000;

/** Null where a Docker daemon answers, else why not. */
export async function dockerProblem() {
  if (!findOnPath('docker')) return 'Docker is not installed';
  const { code } = await capture('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: ASK_TIMEOUT_MS });
  return code === 0 ? null : 'no Docker daemon answers';
}
