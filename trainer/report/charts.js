'use strict';

// Kinds of charts, over Chart.js. A series is {name, points, dashed, marked}:
// points are {x, y, low, high, note}, of which only x and y are needed;
// `marked` is the index of the point to stand out.

// A colour of page.css.
function colour(name) {
  const style = getComputedStyle(document.documentElement);
  return style.getPropertyValue('--' + name).trim();
}

const colours = 8;
const shapes =
    ['circle', 'rect', 'triangle', 'rectRot', 'star', 'cross', 'crossRot'];

// Colour and shape of the i-th series: either tells it from the others.
function seriesStyle(i) {
  const line = colour('series-' + (i % colours + 1));
  return {
    borderColor: line,
    backgroundColor: line,
    pointStyle: shapes[i % shapes.length],
  };
}

function axis(title, {ticks, grid, ...rest} = {}) {
  return {
    title: {display: true, text: title, color: colour('ink')},
    ticks: {color: colour('muted'), ...ticks},
    grid: {color: colour('rule'), borderColor: colour('rule'), ...grid},
    ...rest,
  };
}

// At most four significant digits, and no exponent.
function short(value) {
  return Number(value.toPrecision(4)).toLocaleString('en');
}

function tooltipText(item) {
  const point = item.raw;
  const value = typeof point === 'number' ? point : point.y;
  let text = `${item.dataset.label}: ${short(value)}`;
  if (point.low !== undefined) {
    text += ` [${short(point.low)}, ${short(point.high)}]`;
  }
  return point.note ? `${text} (${point.note})` : text;
}

// A click on the legend hides a series with its interval.
function toggle(event, clicked, legend) {
  const chart = legend.chart;
  const show = !chart.isDatasetVisible(clicked.datasetIndex);
  chart.data.datasets.forEach((dataset, i) => {
    if (dataset.label === clicked.text) chart.setDatasetVisibility(i, show);
  });
  chart.update();
}

function options(x, y, legend) {
  return {
    animation: false,
    maintainAspectRatio: false,
    scales: {x, y},
    interaction: {mode: 'nearest', intersect: false},
    plugins: {
      legend: {
        display: legend,
        position: 'bottom',
        onClick: toggle,
        labels: {
          color: colour('ink'),
          usePointStyle: true,
          boxWidth: 8,
          boxHeight: 8,
          padding: 14,
          filter: (item, data) => !data.datasets[item.datasetIndex].interval,
        },
      },
      tooltip: {
        filter: item => !item.dataset.interval,
        callbacks: {title: () => '', label: tooltipText},
      },
    },
  };
}

// The interval of a series as a band behind it: its lower bound, and the upper
// one filled down to it.
function band(series, style) {
  const bound = key =>
      series.points.filter(point => point[key] !== undefined)
          .map(point => ({x: point.x, y: point[key]}));
  const common = {
    label: series.name,
    interval: true,
    pointRadius: 0,
    borderWidth: 0,
    order: 1,
    backgroundColor: style.borderColor + '2a',
  };
  return [
    {...common, data: bound('low'), fill: false},
    {...common, data: bound('high'), fill: '-1'},
  ];
}

function line(series, i) {
  const style = seriesStyle(i);
  const marked = point => point.dataIndex === series.marked;
  const dataset = {
    ...style,
    label: series.name,
    data: series.points,
    borderWidth: 2,
    borderDash: series.dashed ? [6, 4] : [],
    pointRadius: point => marked(point) ? 7 : 3.5,
    pointHoverRadius: 7,
    // Points at the edge are whole.
    clip: 8,
    order: 0,
  };
  const hasBand = series.points.some(point => point.low !== undefined);
  return hasBand ? [...band(series, style), dataset] : [dataset];
}

function lineChart(canvas, all, x, y) {
  return new Chart(canvas, {
    type: 'line',
    data: {datasets: all.flatMap(line)},
    options: options(x, y, all.length > 1),
  });
}

// By epoch, counted from 1.
function epochChart(canvas, all, title) {
  const x = axis('epoch', {type: 'linear', min: 1, ticks: {precision: 0}});
  return lineChart(canvas, all, x, axis(title));
}

// Those of the ascending depths whose marks on a log axis do not touch.
function withRoom(depths, chart) {
  const pixels = chart.width / Math.log(depths.at(-1) / depths[0]);
  let last = -Infinity;
  return depths.filter(k => {
    const at = pixels * Math.log(k);
    if (at - last < 38) return false;
    last = at;
    return true;
  });
}

// By k, the depths evenly spread: a log axis with a mark at each.
function depthChart(canvas, all, title, range = {beginAtZero: true}) {
  const depths = new Set(all.flatMap(series => series.points.map(p => p.x)));
  const x = axis('k (log scale)', {
    type: 'logarithmic',
    min: Math.min(...depths),
    max: Math.max(...depths),
    afterBuildTicks: scale => {
      scale.ticks = withRoom([...depths].sort((a, b) => a - b), scale.chart)
                        .map(value => ({value}));
    },
    ticks: {callback: value => String(value), autoSkip: true, maxRotation: 0},
  });
  return lineChart(canvas, all, x, axis(title, range));
}

// Points without lines between them; a series that is dashed keeps its line.
function pointChart(canvas, all, x, y) {
  const datasets = all.flatMap(line);
  for (const dataset of datasets) {
    dataset.showLine = dataset.borderDash.length > 0;
    if (dataset.showLine) dataset.pointRadius = 0;
  }
  return new Chart(canvas, {
    type: 'scatter',
    data: {datasets},
    options: options(x, y, all.length > 1),
  });
}

// Bars in groups, the interval of each as a thin bar over it. Points have the
// group's label as x.
function barChart(canvas, all, labels, xTitle, yTitle) {
  const datasets = all.flatMap((series, i) => [
    {
      label: series.name,
      stack: series.name,
      data: series.points.map(point => point.y),
      backgroundColor: seriesStyle(i).borderColor + 'b0',
      maxBarThickness: 56,
      order: 1,
    },
    {
      label: series.name,
      stack: series.name,
      interval: true,
      data: series.points.map(point => [point.low, point.high]),
      backgroundColor: colour('ink'),
      maxBarThickness: 2,
      order: 0,
    },
  ]);
  // Bars of one stack share a place, but are not added up.
  const x = axis(xTitle, {stacked: true, grid: {display: false}});
  const y = axis(yTitle, {stacked: false, beginAtZero: true});
  return new Chart(canvas, {
    type: 'bar',
    data: {labels, datasets},
    options: options(x, y, true),
  });
}
