'use strict';

// Draws what grows with a size, with charts.js: steps by the rows of tables,
// searches by the number of items.
(() => {
const {steps, cost} =
    JSON.parse(document.getElementById('data').textContent);
const point = (x, {median, min, max}) => ({x, y: median, low: min, high: max});

const charts = [
  {
    canvas: document.getElementById('steps-chart'),
    series: Object.entries(steps ?? {}).map(([name, points]) => ({
      name,
      points: points.map(({rows, seconds}) => point(rows, seconds)),
    })),
    x: axis('rows of the embedding tables',
            {type: 'linear', beginAtZero: true}),
    y: axis('seconds a step', {beginAtZero: true}),
  },
  {
    canvas: document.getElementById('cost-chart'),
    series: [{
      name: 'a search of 100',
      points: (cost ?? []).map(
          ({items, microseconds}) => point(items, microseconds)),
    }],
    x: axis('items', {type: 'logarithmic'}),
    y: axis('microseconds', {beginAtZero: true}),
  },
].filter(({canvas}) => canvas !== null);

function draw() {
  for (const {canvas, series, x, y} of charts) {
    Chart.getChart(canvas)?.destroy();
    lineChart(canvas, series, x, y);
  }
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
