// ISA against ISA: whole network and layer by layer, for the same threads, batch and instances.

const sameWork = (a, b) => a.threads === b.threads && a.batch === b.batch && a.instances === b.instances && a.cache === b.cache;

function runTip(run) {
  return [runName(run), `${figures(run.rate)} images/s`,
    `median ${figures(run.median)} ms (${interval(run.low, run.high)})`,
    `${figures(run.gflops)} GFLOP/s, ${percent(run.share)} of the FMA ceiling`, verdictLine(run)].join("\n");
}

/** The verdict with its reasons, on one line. */
const verdictLine = (run) => [run.verdict, run.reasons.map((reason) => reason.text).join("; ")].filter(Boolean).join(": ");

/** The reasons as short as they come; the headline of the configuration has them in full. */
const reasonCodes = (run) => run.reasons.map((reason) => reason.code || reason.text).join(", ") || "–";

const runColumns = [
  {name: "verdict", value: (run) => run.verdict},
  {name: "ISA", value: (run) => run.isa},
  {name: "algorithm", value: (run) => run.algo},
  {name: "threads", number: true, value: (run) => run.threads},
  {name: "batch", number: true, value: (run) => run.batch},
  {name: "instances", number: true, value: (run) => run.instances},
  {name: "caches", value: (run) => run.cache},
  {name: "images/s", number: true, value: (run) => figures(run.rate)},
  {name: "median ms", number: true, value: (run) => figures(run.median)},
  {name: "95 % interval", number: true, value: (run) => interval(run.low, run.high)},
  {name: "p99 ms", number: true, value: (run) => figures(run.p99)},
  {name: "first ms", number: true, value: (run) => figures(run.first)},
  {name: "runs", number: true, value: (run) => run.repetitions},
  {name: "GFLOP/s", number: true, value: (run) => figures(run.gflops)},
  {name: "of the ceiling", number: true, value: (run) => percent(run.share)},
  {name: "logits", value: (run) => run.hash},
  {name: "joules/image", number: true, value: (run) => figures(run.joules)},
  {name: "reasons", wide: true, value: (run) => reasonCodes(run)},
];

function drawIsas(runs, width) {
  const isas = distinct(runs.map((run) => run.isa));
  const names = runs.map((run) => `${run.isa} ${run.algo}`);
  const rows = runs.map((run, i) => ({run, i, low: rateLow(run), high: rateHigh(run)}));
  const end = (row) => Math.max(row.run.rate, row.high || 0);
  return Plot.plot(plotOptions(width, {
    height: rows.length * 34 + 56,
    marginLeft: Math.max(...names.map((name) => name.length)) * 6.6 + 14,
    marginRight: 56,
    marginTop: 8,
    marginBottom: 40,
    x: {label: "images/s →", zero: true, ticks: width < 600 ? 4 : 8},
    y: {type: "band", domain: rows.map((row) => row.i), tickFormat: (i) => names[i], tickSize: 0, label: null, padding: 0.3},
    color: {domain: isas, range: seriesColours},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.barX(rows, {x1: () => 0, x2: (row) => row.run.rate, y: "i", fill: (row) => row.run.isa, fillOpacity: 0.8,
        ariaLabel: (row) => runTip(row.run), className: "mark"}),
      Plot.ruleY(rows, {x1: "low", x2: "high", y: "i", stroke: "var(--ink)", strokeWidth: 2, className: "interval",
        pointerEvents: "none"}),
      Plot.text(rows, {x: end, y: "i", text: (row) => figures(row.run.rate), textAnchor: "start", dx: 6}),
      Plot.ruleX([0], {stroke: "var(--soft)"}),
      tipFor(rows, {x: (row) => row.run.rate, y: "i"}, Plot.pointerY, (row) => runTip(row.run)),
    ],
  }));
}

function isasSection(result, run) {
  const runs = result.runs.filter((other) => sameWork(run, other));
  const hashes = distinct(runs.map((other) => `${other.algo} ${other.hash}`)).length;
  const equal = hashes === distinct(runs.map((other) => other.algo)).length;
  const bits = distinct(runs.map((other) => other.isa)).length < 2 ? ""
    : equal ? " For the same algorithm all instruction sets computed the same bits."
      : " The instruction sets did not all compute the same bits: see the logits' hashes in the table.";
  return figureSection({id: "isas", title: "Instruction sets side by side", note:
    `The whole network on ${plural(run.threads, "thread")}, batch ${run.batch}; lines are 95 % intervals of the median.${bits}`,
    columns: runColumns, rows: runs, draw: (width) => drawIsas(runs, width)});
}

/** One row a layer of each ISA with the algorithm of the run that is shown. */
function layersOfIsas(result, run) {
  const runs = result.runs.filter((other) => sameWork(run, other) && other.algo === run.algo);
  return runs.flatMap((other) => other.layers.map((layer, i) => ({...layer, i, isa: other.isa})))
    .filter((layer) => layer.i < run.layers.length && layer.ms > 0);
}

function drawLayersOfIsas(rows, run, width) {
  const isas = distinct(rows.map((row) => row.isa));
  const label = (row) => `${row.isa}, ${layerTip(row)}`;
  return Plot.plot(plotOptions(width, {
    height: run.layers.length * 17 + 64,
    marginTop: 32,
    marginBottom: 32,
    marginRight: 20,
    ...layerAxis(run.layers, width),
    x: {type: "log", label: "ms →", tickFormat: "~g", ticks: width < 600 ? 4 : 8, axis: "both", nice: true},
    symbol: {domain: isas, range: seriesSymbols, legend: true},
    color: {domain: isas, range: seriesColours},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.ruleY(run.layers, {y: (_, i) => i, stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.dot(rows, {x: "ms", y: "i", symbol: "isa", fill: "isa", r: 4.5, stroke: "var(--paper)", strokeWidth: 0.8,
        ariaLabel: label, className: "mark"}),
      tipFor(rows, {x: "ms", y: "i"}, Plot.pointer, label),
    ],
  }));
}

function layersOfIsasSection(result, run) {
  const rows = layersOfIsas(result, run);
  if (distinct(rows.map((row) => row.isa)).length < 2) return null;
  return figureSection({id: "layer-isas", title: "Instruction sets layer by layer", note:
    `Time of each layer with the algorithm ${run.algo}; left is faster.`,
    columns: [{name: "ISA", value: (row) => row.isa}, ...layerColumns], rows, tall: true,
    draw: (width) => drawLayersOfIsas(rows, run, width)});
}
