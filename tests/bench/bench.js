'use strict';

// Draws the steps by the size of tables with charts.js.
(() => {
const canvas = document.getElementById('steps');
if (canvas === null) return;
const data = JSON.parse(document.getElementById('data').textContent);
const series = Object.entries(data).map(([name, steps]) => ({
  name,
  points: steps.map(({rows, seconds}) => ({
    x: rows,
    y: seconds.median,
    low: seconds.min,
    high: seconds.max,
  })),
}));
const x = axis(
    'rows of the embedding tables', {type: 'linear', beginAtZero: true});
const y = axis('seconds a step', {beginAtZero: true});

function draw() {
  Chart.getChart(canvas)?.destroy();
  lineChart(canvas, series, x, y);
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
