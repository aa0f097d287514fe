import { NiobeError } from '@niobe/kernel';

/** Subjects of the wire: `niobe.<deployment>.<role>.<name>`. */

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

function token(kind: string, name: string): string {
  if (NAME.test(name)) return name;
  throw new NiobeError(
    'BAD_CONFIG',
    `${kind} "${name}" is not usable: 1 to 63 of a-z, 0-9 and "-", not beginning with "-"`,
  );
}

/** Where the shard `name` of a deployment answers. `BAD_CONFIG` for a name that is no subject token. */
export function shardSubject(deployment: string, name: string): string {
  return `niobe.${token('deployment', deployment)}.shard.${token('shard', name)}`;
}

/** Where the backup server `name` of a deployment answers. `BAD_CONFIG` for a name that is no subject token. */
export function backupSubject(deployment: string, name: string): string {
  return `niobe.${token('deployment', deployment)}.backup.${token('backup', name)}`;
}
