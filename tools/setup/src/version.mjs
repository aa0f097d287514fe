/** The first `1.2.3` or `1.2` in `text` as numbers, or null. */
export function parseVersion(text) {
  const match = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text);
  return match && match.slice(1).map((part) => Number(part ?? 0));
}

/** True if version `found` is not older than `wanted`; both as {@link parseVersion} gives them. */
export function atLeast(found, wanted) {
  for (const [index, part] of wanted.entries()) {
    if (found[index] !== part) return found[index] > part;
  }
  return true;
}
