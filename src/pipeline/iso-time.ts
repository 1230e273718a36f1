const UP_TO_MILLISECONDS = '2026-01-02T03:04:05.'.length;

let lastSecond = NaN;
let upToMilliseconds = '';
let lastTime = NaN;
let lastText = '';

/**
 * A time as ISO 8601 in UTC: `2026-01-02T03:04:05.006Z`. `time` is whole milliseconds since the epoch. The last text is kept, and the one up to
 * the second, because they are the same for many requests.
 */
export function isoTime(time: number): string {
  if (time === lastTime) return lastText;
  const second = Math.floor(time / 1000);
  if (second !== lastSecond) {
    upToMilliseconds = new Date(time).toISOString().slice(0, UP_TO_MILLISECONDS);
    lastSecond = second;
  }
  lastTime = time;
  lastText = `${upToMilliseconds}${String(time - second * 1000).padStart(3, '0')}Z`;
  return lastText;
}
