import { shardSubject } from '@niobe/grid';

/** Where the shard `name` of a deployment takes part in searches. `BAD_CONFIG` for a name that is no subject token. */
export function traverseSubject(deployment: string, name: string): string {
  const tokens = shardSubject(deployment, name).split('.');
  tokens[2] = 'traverse';
  return tokens.join('.');
}
