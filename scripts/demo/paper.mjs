const CODES = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39], cyan: [36, 39] };
const NAME_WIDTH = 15;

const coloured = process.stdout.isTTY === true && (process.env.NO_COLOR ?? '') === '' && process.env.TERM !== 'dumb';

/**
 * Colours a text on a terminal; elsewhere it stays as it is.
 * @param {keyof typeof CODES} style
 * @param {string} text
 */
export function paint(style, text) {
  return coloured ? `\u001b[${CODES[style][0]}m${text}\u001b[${CODES[style][1]}m` : text;
}

/** @param {string} [line] */
export function print(line = '') {
  console.log(line);
}

/**
 * A numbered step of the story.
 * @param {number} number
 * @param {string} title
 * @param {string} [remark]
 */
export function printStep(number, title, remark = '') {
  print();
  print(`${paint('cyan', String(number))}  ${paint('bold', title)}${remark === '' ? '' : paint('dim', ` — ${remark}`)}`);
}

/** @param {string} text */
export function printLine(text) {
  print(`   ${text}`);
}

/**
 * A name and its value, aligned with the others.
 * @param {string} name
 * @param {string} value
 */
export function printField(name, value) {
  printLine(`${paint('dim', name.padEnd(NAME_WIDTH))}${value}`);
}

/**
 * Shows on one line that something takes its time, and how long it took.
 * @template T
 * @param {string} title
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function whileWorking(title, work) {
  const start = performance.now();
  const seconds = () => `${Math.round((performance.now() - start) / 1000)} s`;
  const live = process.stdout.isTTY === true;
  if (live) process.stdout.write(`${title} …`);
  else print(`${title} …`);
  const timer = live ? setInterval(() => process.stdout.write(`\r${title} … ${seconds()}`), 1000) : undefined;
  try {
    return await work();
  } finally {
    clearInterval(timer);
    if (live) process.stdout.write('\r\u001b[K');
  }
}
