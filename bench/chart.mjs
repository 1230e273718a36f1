/** A bar chart as SVG: CPU per request as a ratio to the floor, one panel a stage, one bar a party. */
import { figure, titleOf } from './names.mjs';
import { STAGES } from './stages.mjs';

const PANELS = ['small', 'big', 'post', 'new'];
const WIDTH = 760;
const MARGIN = 20;
const BARS_AT = 262;
const BARS_WIDTH = 420;
const BAR_HEIGHT = 16;
const BAR_STEP = 23;
const HEAD_HEIGHT = 64;
const PANEL_HEAD = 34;
/** Longer bars of others are cut, or the short ones could not be told apart. */
const LONGEST = 4;

const STYLE = `
    .card { fill: #ffffff; stroke: #d0d7de; }
    text { fill: #1f2328; font: 13px system-ui, -apple-system, 'Segoe UI', sans-serif; }
    .title { font-size: 17px; font-weight: 600; }
    .stage { font-weight: 600; }
    .note { fill: #59636e; }
    .other { fill: #9aa4af; }
    .floor { fill: #6e7781; }
    .own { fill: #0969da; }
    .line { stroke: #6e7781; stroke-dasharray: 3 3; }
    .cut { stroke: #ffffff; stroke-width: 4; }
    .value { stroke: #ffffff; stroke-width: 4; paint-order: stroke; }
    @media (prefers-color-scheme: dark) {
      .card { fill: #0d1117; stroke: #3d444d; }
      text { fill: #f0f6fc; }
      .note { fill: #9198a1; }
      .other { fill: #656c76; }
      .floor { fill: #9198a1; }
      .own { fill: #4493f8; }
      .line { stroke: #9198a1; }
      .cut, .value { stroke: #0d1117; }
    }`;

/** The chart, as the text of a file. */
export function chart(results) {
  const panels = PANELS.filter((stage) => results.stages[stage] !== undefined).map((stage) => ({ stage, bars: barsOf(results, stage) }));
  const longest = longestShown(panels.flatMap(({ bars }) => bars));
  let y = HEAD_HEIGHT;
  const drawn = panels.map((panel) => {
    const text = drawPanel(panel, y, longest);
    y += PANEL_HEAD + panel.bars.length * BAR_STEP + 14;
    return text;
  });
  const title = 'CPU per request, as a ratio to the floor';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y + 6}" width="${WIDTH}" height="${y + 6}" role="img" aria-labelledby="title summary">
  <title id="title">${title}</title>
  <desc id="summary">${escaped(panels.map(describe).join(' '))}</desc>
  <style>${STYLE}
  </style>
  <rect class="card" x="0.5" y="0.5" width="${WIDTH - 1}" height="${y + 5}" rx="6" />
  <text class="title" x="${MARGIN}" y="32">${title}</text>
  <text class="note" x="${MARGIN}" y="52">Floor: the least that the TLS sockets of Node allow. Shorter is better.</text>
${drawn.join('\n')}
</svg>
`;
}

function barsOf(results, stage) {
  return Object.entries(results.stages[stage])
    .filter(([party, { ratio }]) => party !== 'direct' && ratio !== undefined)
    .map(([party, { ratio }]) => ({ label: titleOf(results, party), ratio, kind: kindOf(party) }));
}

function kindOf(party) {
  if (party === 'floor') return 'floor';
  return ['grant', 'relay', 'engine'].includes(party) ? 'own' : 'other';
}

function drawPanel({ stage, bars }, top, longest) {
  const scale = (ratio) => round((Math.min(ratio, longest) / longest) * BARS_WIDTH);
  const first = top + PANEL_HEAD - 12;
  const one = BARS_AT + scale(1);
  return [
    `  <text class="stage" x="${MARGIN}" y="${top + 14}">${escaped(STAGES[stage].title)}</text>`,
    `  <line class="line" x1="${one}" y1="${first - 3}" x2="${one}" y2="${first + bars.length * BAR_STEP - 4}" />`,
    ...bars.map((bar, index) => drawBar(bar, first + index * BAR_STEP, { length: scale(bar.ratio), cut: bar.ratio > longest })),
  ].join('\n');
}

function drawBar({ label, ratio, kind }, y, { length, cut }) {
  const end = BARS_AT + length;
  const text = y + BAR_HEIGHT - 3;
  return [
    `  <text x="${MARGIN}" y="${text}">${escaped(label)}</text>`,
    `  <rect class="${kind}" x="${BARS_AT}" y="${y}" width="${length}" height="${BAR_HEIGHT}" rx="2" />`,
    ...(cut ? [`  <line class="cut" x1="${end - 26}" y1="${y + BAR_HEIGHT + 2}" x2="${end - 18}" y2="${y - 2}" />`] : []),
    `  <text class="value" x="${end + 7}" y="${text}">${figure(ratio, 2)}</text>`,
  ].join('\n');
}

/** The ratio at the end of the axis, the same in all panels; beyond the longest bar that is whole when another is cut. */
function longestShown(bars) {
  const whole = bars.filter(({ kind, ratio }) => kind === 'own' || ratio <= LONGEST);
  return Math.max(1, ...whole.map(({ ratio }) => ratio)) * (whole.length < bars.length ? 1.15 : 1);
}

function describe({ stage, bars }) {
  return `${STAGES[stage].title}: ${bars.map(({ label, ratio }) => `${label} ${figure(ratio, 2)}`).join(', ')}.`;
}

function round(value) {
  return Math.round(value * 10) / 10;
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
