// How the repetitions of the run that is shown are spread.

const percentileNames = ["p50", "p90", "p99", "p99.9"];

/** Bins of equal width, about the square root of the count of them. */
function histogram(times) {
  const low = Math.min(...times), high = Math.max(...times);
  const count = Math.max(5, Math.min(40, Math.ceil(Math.sqrt(times.length) * 1.5)));
  const step = (high - low) / count || Math.max(high * 1e-3, 1e-9);
  const bins = Array.from({length: count}, (_, i) => ({x1: low + i * step, x2: low + (i + 1) * step, count: 0}));
  for (const time of times) bins[Math.min(count - 1, Math.floor((time - low) / step))].count++;
  return bins.filter((bin) => bin.count > 0);
}

function drawLatency(run, bins, marks, width) {
  const label = (bin) => `${figures(bin.x1)} to ${figures(bin.x2)} ms\n${plural(bin.count, "repetition")}`;
  const ticks = Math.min(5, Math.max(...bins.map((bin) => bin.count))); // whole repetitions
  const rows = marks.map((mark, i) => ({...mark, i: marks.length - 1 - i}));
  return Plot.plot(plotOptions(width, {
    height: 320 + 16 * rows.length,
    marginLeft: 48,
    marginRight: 24,
    marginTop: 36 + 16 * rows.length,
    marginBottom: 44,
    x: {label: "ms of one repetition →", ticks: width < 600 ? 4 : 8, nice: true},
    y: {label: "↑ repetitions", zero: true, ticks, tickFormat: "d"},
    marks: [
      Plot.gridY({stroke: "var(--rule)", strokeOpacity: 0.7, ticks}),
      Plot.rectY(bins, {x1: "x1", x2: "x2", y1: () => 0, y2: "count", fill: "var(--c1)", fillOpacity: 0.7, inset: 0.5,
        ariaLabel: label, className: "mark"}),
      rows.map((row) => Plot.ruleX([row], {x: "ms", insetTop: -17 - 16 * row.i, stroke: "var(--c2)", strokeWidth: 1.5,
        strokeDasharray: "4 3", className: "percentile"})),
      rows.map((row) => Plot.text([row], {x: "ms", frameAnchor: "top", dy: -12 - 16 * row.i, dx: row.end ? -4 : 4,
        text: () => `${row.name} ${figures(row.ms)}`, textAnchor: row.end ? "end" : "start", fill: "var(--c2)"})),
      Plot.ruleY([0], {stroke: "var(--soft)"}),
      tipFor(bins, {x: (bin) => (bin.x1 + bin.x2) / 2, y: "count"}, Plot.pointerX, label),
    ],
  }));
}

function latencySection(run) {
  const times = run.times ?? [];
  const bins = times.length ? histogram(times) : [];
  const middle = times.length ? (Math.min(...times) + Math.max(...times)) / 2 : 0;
  const marks = percentileNames.map((name, i) => ({name, ms: run.percentiles[i], end: run.percentiles[i] > middle}))
    .filter((mark) => Number.isFinite(mark.ms));
  const share = times.length < run.repetitions ? `A random choice of ${times.length} of ${run.repetitions} repetitions` :
    `All ${plural(times.length, "repetition")}`;
  const note = times.length ? `${share} of ${runName(run)}; percentiles are of all, and no outlier is dropped.`
    : "This result holds no single repetitions.";
  return figureSection({id: "latency", title: "Distribution of latency", note, rows: bins,
    columns: [
      {name: "from ms", number: true, value: (bin) => figures(bin.x1)},
      {name: "to ms", number: true, value: (bin) => figures(bin.x2)},
      {name: "repetitions", number: true, value: (bin) => bin.count},
    ],
    draw: (width) => drawLatency(run, bins, marks, width)});
}
