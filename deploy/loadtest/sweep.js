'use strict';

// Draws what sweep.py measured, with charts.js.
(() => {
const {points} = JSON.parse(document.getElementById('data').textContent);
const series = (name, field) => ({
  name,
  points: points.filter(point => point[field] !== null)
              .map(point => ({x: point.offered, y: point[field]})),
});
const load = axis('calls a second, offered', {type: 'linear', beginAtZero: true});

function draw() {
  for (const [name, lines, y] of [
    ['latency',
     [series('median', 'p50_ms'), series('95 %', 'p95_ms'),
      series('99 %', 'p99_ms')],
     axis('milliseconds', {type: 'logarithmic'})],
    ['cpu', [series('processor time a call', 'cpu_us')],
     axis('microseconds', {beginAtZero: true})],
  ]) {
    const canvas = document.getElementById(name + '-chart');
    Chart.getChart(canvas)?.destroy();
    lineChart(canvas, lines, load, y);
  }
}

draw();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', draw);
})();
