/** Asks `probe` again and again until it answers something, for at most `deadlineMs`. */
export async function eventually<T>(probe: () => Promise<T | undefined> | T | undefined, what: string, deadlineMs = 5000): Promise<T> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const answer = await probe();
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${deadlineMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
