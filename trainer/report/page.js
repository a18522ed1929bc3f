'use strict';

// Draws every canvas of the page from the runs that lie in it: a report has one
// run, a comparison has several.
(() => {
const runs = [...document.querySelectorAll('script.run')].map(element => {
  return {...element.dataset, ...JSON.parse(element.textContent)};
});
const single = runs.length === 1;

const test = run => run.evaluation?.test ?? {};

function byDepth(figures, intervals) {
  return Object.keys(figures ?? {}).map(Number).sort((a, b) => a - b).map(k => ({
    x: k,
    y: figures[k],
    low: intervals?.[k]?.low,
    high: intervals?.[k]?.high,
  }));
}

// Series without points would still stand in the legend.
const filled = all => all.filter(series => series.points.length > 0);

// What one report compares: exact search, the index, the baselines.
function listsOf(run) {
  const baselines = test(run).baselines ?? {};
  return [
    ['exact', test(run).exact, false],
    ['index', test(run).ann, false],
    ['most popular', baselines.popularity, true],
    ['most popular of late', baselines.recent_popularity, true],
    ['item kNN', baselines.item_knn, true],
    ['transitions', baselines.transitions, true],
  ];
}

// One figure by k: of each list of a report, or of each run of a comparison.
function rankings(field) {
  const points = list => byDepth(list?.[field], list?.[field + '_interval']);
  if (!single) {
    return filled(runs.map(
        run => ({name: run.name, points: points(test(run).exact)})));
  }
  return filled(listsOf(runs[0]).map(
      ([name, list, dashed]) => ({name, dashed, points: points(list)})));
}

// One value an epoch; the published one is marked.
function epochs(field, name) {
  return filled(runs.map(run => ({
    name: single ? name : run.name,
    marked: (run.training?.best_epoch ?? 0) - 1,
    points: (run.training?.[field] ?? []).map((y, i) => ({x: i + 1, y})),
  })));
}

function kept() {
  if (!single) {
    return filled(runs.map(run => ({
      name: run.name,
      points: byDepth(test(run).ann?.overlap),
    })));
  }
  const {ann_recall_ratio: ratio, ann_recall_ratio_interval: interval, ann} =
      test(runs[0]);
  return filled([
    {name: 'overlap', points: byDepth(ann?.overlap)},
    {name: 'index / exact recall', points: byDepth(ratio, interval)},
  ]);
}

// What the tuner tried, fastest first, and of it what nothing faster beats; the
// setting that it chose is marked. Of one run a line for each k.
function trials() {
  const lines = single ?
      [...new Set((runs[0].index?.trials ?? []).map(trial => trial.k))].map(
          k => ({run: runs[0], k, name: k ? `overlap@${k}` : 'settings'})) :
      runs.map(run => ({run, k: Number(run.tuneK), name: run.name}));
  const all = filled(lines.map(({run, k, name}) => {
    const chosenK = Number(run.tuneK);
    let best = 0;
    const tried = [...run.index?.trials ?? []]
        .filter(trial => !trial.k || trial.k === k)
        .sort((a, b) => a.microseconds_per_query - b.microseconds_per_query)
        .filter(trial => {
          const chosen = trial.nprobe === run.index.nprobe &&
              trial.k_factor === run.index.k_factor && k === chosenK;
          const better = trial.overlap > best;
          best = Math.max(best, trial.overlap);
          return better || chosen;
        });
    return {
      name,
      marked: k && k !== chosenK ? -1 : tried.findIndex(
          trial => trial.nprobe === run.index.nprobe &&
              trial.k_factor === run.index.k_factor),
      points: tried.map(trial => ({
        x: trial.microseconds_per_query,
        y: trial.overlap,
        note: `${short(trial.microseconds_per_query)} µs, nprobe ` +
            `${trial.nprobe}, k_factor ${trial.k_factor}`,
      })),
    };
  }));
  const target = Number(runs[0].targetOverlap);
  if (!single || all.length === 0) return all;
  const times = all.flatMap(series => series.points.map(point => point.x));
  return [...all, {
    name: 'target',
    dashed: true,
    points: [Math.min(...times), Math.max(...times)].map(
        x => ({x, y: target})),
  }];
}

function bytes() {
  return filled(runs.map(run => ({
    name: run.name,
    points: run.index?.bytes && test(run).ann?.recall?.[100] !== undefined ?
        [{
          x: run.index.bytes / run.dataset.items,
          y: test(run).ann.recall[100],
        }] :
        [],
  })));
}

function slices(canvas) {
  const dimension = canvas.dataset.part;
  const found =
      test(runs[0]).slices.filter(slice => slice.dimension === dimension);
  const at = k => ({
    name: `recall@${k}`,
    points: found.map(({exact}) => ({
      y: exact?.recall?.[k],
      low: exact?.recall_interval?.[k]?.low,
      high: exact?.recall_interval?.[k]?.high,
    })),
  });
  const labels = found.map(slice => slice.label);
  return barChart(canvas, [at(10), at(100)], labels, dimension, 'recall');
}

const charts = {
  loss: canvas => epochChart(canvas, epochs('loss', 'loss'), 'loss (nats)'),
  validation: canvas => epochChart(
      canvas, epochs('validation_recall', 'validation recall'),
      single ? `recall@${runs[0].validationK}` : 'recall'),
  recall: canvas => depthChart(canvas, rankings('recall'), 'recall'),
  ndcg: canvas => depthChart(canvas, rankings('ndcg'), 'NDCG'),
  coverage: canvas =>
      depthChart(canvas, rankings('coverage'), 'share of the catalogue'),
  popularity: canvas => depthChart(
      canvas, rankings('popularity_rank'), 'popularity rank'),
  kept: canvas => depthChart(
      canvas, kept(), single ? 'share' : 'overlap',
      {suggestedMin: 0.9, suggestedMax: 1}),
  trials: canvas => pointChart(
      canvas, trials(),
      axis('microseconds a query, one thread (log scale)', {
        type: 'logarithmic',
        // 1, 3, 10, 30: more would write over one another.
        afterBuildTicks: scale => {
          scale.ticks = scale.ticks.filter(
              ({value}) => /^[13](\.0*)?e/.test(value.toExponential()));
        },
        ticks: {callback: short, autoSkip: false, maxRotation: 0},
      }),
      axis('overlap')),
  bytes: canvas => pointChart(
      canvas, bytes(), axis('bytes an item', {beginAtZero: true}),
      axis('recall@100, index')),
  slices,
};

// A chart that fails says so in its own place.
function draw(canvas) {
  try {
    Chart.getChart(canvas)?.destroy();
    charts[canvas.dataset.chart](canvas);
    canvas.dataset.drawn = 'yes';
  } catch (error) {
    const note = document.createElement('p');
    note.className = 'bad';
    note.textContent = `This chart cannot be drawn: ${error.message}`;
    canvas.replaceWith(note);
  }
}

function drawAll() {
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.font.size = 13;
  document.querySelectorAll('canvas[data-chart]').forEach(draw);
}

// Paper is white.
function setPrinting(printing) {
  document.documentElement.classList.toggle('printing', printing);
  drawAll();
}

drawAll();
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll);
addEventListener('beforeprint', () => setPrinting(true));
addEventListener('afterprint', () => setPrinting(false));
})();
