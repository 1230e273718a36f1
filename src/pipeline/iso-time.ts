const UP_TO_MILLISECONDS = '2026-01-02T03:04:05.'.length;

let lastSecond = NaN;
let lastText = '';

/**
 * A time as ISO 8601 in UTC: `2026-01-02T03:04:05.006Z`. `time` is whole milliseconds since the epoch. The text up to the second is kept,
 * because it is the same for all requests of a second.
 */
export function isoTime(time: number): string {
  const second = Math.floor(time / 1000);
  if (second !== lastSecond) {
    lastText = new Date(time).toISOString().slice(0, UP_TO_MILLISECONDS);
    lastSecond = second;
  }
  return `${lastText}${String(time - second * 1000).padStart(3, '0')}Z`;
}
