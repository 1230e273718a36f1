/**
 * What `act` finds while something that it makes with the life `lifeMs` still stands. A busy machine may need longer than that: then what it
 * found, or threw, means nothing, and `act` is asked again with twice the life. So it must make everything anew, and leave the verdict to
 * its caller.
 */
export async function withinLife<Found>(lifeMs: number, act: (lifeMs: number) => Promise<Found>): Promise<Found> {
  const before = performance.now();
  const inTime = (): boolean => performance.now() - before < lifeMs;
  try {
    const found = await act(lifeMs);
    if (inTime()) return found;
  } catch (error) {
    if (inTime()) throw error;
  }
  return withinLife(2 * lifeMs, act);
}
