/** Does `work` on every item, `limit` of them at a time. After a failure nothing new is begun; the first one is thrown at the end. */
export async function atATime<T>(
  items: Iterable<T>,
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const left = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | null = null;
  const run = async (): Promise<void> => {
    for (let next = left.next(); next.done !== true && failure === null; next = left.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: limit }, run));
  if (failure !== null) throw (failure as { readonly error: unknown }).error;
}
