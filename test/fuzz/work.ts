/** Works through items with a few hands at a time; each hand has a bench of its own. */
export async function work<T, B>(items: Iterable<T>, benches: readonly B[], one: (item: T, bench: B) => Promise<void>) {
  const rest = items[Symbol.iterator]();
  await Promise.all(
    benches.map(async (bench) => {
      for (let next = rest.next(); next.done !== true; next = rest.next()) await one(next.value, bench);
    }),
  );
}
