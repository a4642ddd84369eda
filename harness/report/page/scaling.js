// Images a second over threads, batch and instances.

const scalingWays = [
  {key: "threads", label: "threads", others: ["batch", "instances"]},
  {key: "batch", label: "images in a batch", others: ["threads", "instances"]},
  {key: "instances", label: "instances", others: ["threads", "batch"]},
];

const seriesName = (run) => `${run.isa} ${run.algo}`;

/** The runs that differ from the one shown in nothing but this, of every ISA and algorithm. */
function scalingRows(result, run, way) {
  const rows = result.runs.filter((other) => [...way.others, "cache"].every((key) => other[key] === run[key]));
  const several = (row) => distinct(rows.filter((other) => seriesName(other) === seriesName(row)).map((other) => other[way.key])).length > 1;
  return rows.filter(several).sort((a, b) => a[way.key] - b[way.key]);
}

/** What each series would reach if it grew in proportion from its first point. */
function idealLines(rows, way) {
  return distinct(rows.map(seriesName)).flatMap((name) => {
    const series = rows.filter((row) => seriesName(row) === name);
    return [series[0], series[series.length - 1]].map((row) =>
      ({x: row[way.key], y: (series[0].rate * row[way.key]) / series[0][way.key], name}));
  });
}

function drawScaling(rows, way, width) {
  const names = distinct(rows.map(seriesName));
  const values = distinct(rows.map((row) => row[way.key])).sort((a, b) => a - b);
  const shape = {domain: names, legend: true};
  const ideal = way.key === "batch" ? [] : [Plot.line(idealLines(rows, way), {x: "x", y: "y", z: "name",
    stroke: "name", strokeDasharray: "3 4", strokeOpacity: 0.8, className: "ideal"})];
  return Plot.plot(plotOptions(width, {
    height: Math.round(Math.max(300, Math.min(440, width * 0.45))),
    marginLeft: 52,
    marginRight: 20,
    marginTop: 28,
    marginBottom: 40,
    x: {type: values[values.length - 1] / values[0] > 8 ? "log" : "linear", ticks: values, tickFormat: "d", label: `${way.label} →`},
    y: {zero: true, label: "↑ images/s", nice: true},
    symbol: {...shape, range: seriesSymbols},
    color: {domain: names, range: seriesColours},
    marks: [
      Plot.gridY({stroke: "var(--rule)", strokeOpacity: 0.7}),
      ideal,
      Plot.line(rows, {x: way.key, y: "rate", z: seriesName, stroke: seriesName, strokeWidth: 1.8}),
      Plot.ruleX(rows, {x: way.key, y1: rateLow, y2: rateHigh, stroke: seriesName, strokeWidth: 1.5}),
      Plot.dot(rows, {x: way.key, y: "rate", symbol: seriesName, fill: seriesName, r: 5, stroke: "var(--paper)",
        ariaLabel: runTip, className: "mark"}),
      tipFor(rows, {x: way.key, y: "rate"}, Plot.pointer, runTip),
    ],
  }));
}

function scalingSections(result, run) {
  return scalingWays.map((way) => ({way, rows: scalingRows(result, run, way)}))
    .filter(({rows}) => rows.length)
    .map(({way, rows}) => figureSection({
      id: `scaling-${way.key}`,
      title: `Scaling over ${way.label === "threads" ? "threads" : way.label === "instances" ? "instances" : "the batch"}`,
      note: way.key === "batch" ? `On ${plural(run.threads, "thread")}; lines at the points are 95 % intervals.`
        : "Dashed: growth in proportion from the first point. Lines at the points are 95 % intervals.",
      columns: runColumns, rows, draw: (width) => drawScaling(rows, way, width)}));
}
