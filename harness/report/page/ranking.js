// Several results on the same axes, the fastest first.

/** So many bars are drawn; the table has them all. */
const rankingBars = 40;

/** What was run: results of different subjects have no common ranking. */
const subject = ({run, size}) => `${run.network} (${run.variant}) ${size}×${size}, ${run.precision}`;

const rankingColumns = [
  {name: "#", number: true, value: (row) => row.rank},
  {name: "verdict", value: (row) => row.run.verdict},
  {name: "machine", value: (row) => row.name},
  {name: "file", value: (row) => row.file},
  {name: "images/s", number: true, value: (row) => figures(row.run.rate)},
  {name: "median ms", number: true, value: (row) => figures(row.run.median)},
  {name: "95 % interval", number: true, value: (row) => interval(row.run.low, row.run.high)},
  {name: "p99 ms", number: true, value: (row) => figures(row.run.p99)},
  {name: "GFLOP/s", number: true, value: (row) => figures(row.run.gflops)},
  {name: "of the ceiling", number: true, value: (row) => percent(row.run.share)},
  {name: "network", value: subject},
  {name: "configuration", value: (row) => runName(row.run)},
  {name: "reasons", wide: true, value: (row) => reasonCodes(row.run)},
];

const rankingTip = (row) => [`${row.rank}. ${row.name}`, row.file, runTip(row.run)].join("\n");

function rankingAxis(rows, width) {
  const most = width < 600 ? 18 : 44;
  const twice = (row) => rows.some((other) => other !== row && other.name === row.name);
  const base = (path) => path.replace(/^.*\//, "");
  const name = (row) => `${row.rank}. ${twice(row) ? base(row.file) : row.name}`;
  const short = (text) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);
  return {
    marginLeft: Math.max(...rows.map((row) => short(name(row)).length)) * 6.4 + 16,
    y: {type: "band", domain: rows.map((row) => row.rank), tickFormat: (rank) => short(name(rows[rank - 1])),
      tickSize: 0, label: null, padding: 0.3},
  };
}

function drawRanking(all, width) {
  const rows = all.slice(0, rankingBars);
  return Plot.plot(plotOptions(width, {
    height: rows.length * 30 + 60,
    marginRight: 56,
    marginTop: 8,
    marginBottom: 40,
    ...rankingAxis(rows, width),
    x: {label: "images/s →", zero: true, ticks: width < 600 ? 3 : 8},
    color: {domain: ["VALID", "SUSPECT", "INVALID"], range: ["var(--c1)", "var(--c2)", "var(--bad)"], legend: true},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.barX(rows, {x1: () => 0, x2: (row) => row.run.rate, y: "rank", fill: (row) => row.run.verdict,
        fillOpacity: 0.8, ariaLabel: rankingTip, className: "mark"}),
      Plot.ruleY(rows, {x1: (row) => rateLow(row.run), x2: (row) => rateHigh(row.run), y: "rank", stroke: "var(--ink)",
        strokeWidth: 2, pointerEvents: "none", className: "interval"}),
      Plot.text(rows, {x: (row) => Math.max(row.run.rate, rateHigh(row.run) || 0), y: "rank",
        text: (row) => figures(row.run.rate), textAnchor: "start", dx: 6}),
      Plot.ruleX([0], {stroke: "var(--soft)"}),
      tipFor(rows, {x: (row) => row.run.rate, y: "rank"}, Plot.pointerY, rankingTip),
    ],
  }));
}

/** Median to p99: what somebody with a limit on latency looks at. */
function drawLatencyRanking(all, width) {
  const rows = all.slice(0, rankingBars);
  return Plot.plot(plotOptions(width, {
    height: rows.length * 26 + 60,
    marginRight: 56,
    marginTop: 8,
    marginBottom: 40,
    ...rankingAxis(rows, width),
    x: {label: "ms, median (circle) to p99 (line's end) →", zero: true, ticks: width < 600 ? 3 : 8},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.ruleY(rows, {x1: (row) => row.run.median, x2: (row) => row.run.p99, y: "rank", stroke: "var(--c2)",
        strokeWidth: 3, pointerEvents: "none"}),
      Plot.dot(rows, {x: (row) => row.run.median, y: "rank", fill: "var(--c1)", r: 5, ariaLabel: rankingTip, className: "mark"}),
      Plot.ruleX([0], {stroke: "var(--soft)"}),
      tipFor(rows, {x: (row) => row.run.median, y: "rank"}, Plot.pointerY, rankingTip),
    ],
  }));
}

/** The fastest `results` of `count`. */
function rankingSections(results, count) {
  if (results.length < 2) return [];
  const rows = results.map((result) => ({...result, run: result.runs[result.best]}))
    .sort((a, b) => b.run.rate - a.run.rate).map((row, i) => ({...row, rank: i + 1}));
  const listed = rows.length < count ? `the fastest ${rows.length} of ${count}, and resmark report --csv gives all` : `all ${count}`;
  const left = rows.length > rankingBars ? ` The first ${rankingBars} are drawn; the table has ${listed}.` : "";
  const subjects = distinct(rows.map(subject));
  const mixed = subjects.length > 1 ? ` Beware: these results are not of the same work: ${subjects.slice(0, 4).join("; ")}.` : "";
  const note = `Each result's fastest VALID configuration (SUSPECT where none is), in images a second; lines are 95 % intervals of the median.${left}${mixed}`;
  return [
    figureSection({id: "ranking", title: "Ranking", note, columns: rankingColumns, rows, tall: rows.length > 20,
      draw: (width) => drawRanking(rows, width)}),
    figureSection({id: "ranking-latency", title: "Latency of the same configurations", note: "In the order of the ranking.",
      columns: rankingColumns, rows, tall: rows.length > 20, draw: (width) => drawLatencyRanking(rows, width)}),
  ];
}
