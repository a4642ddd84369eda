// The page: headline, machine, and a section for every plot of the result and run that are chosen.

const report = JSON.parse(document.getElementById("data").textContent);

/** The results whose layers and repetitions travel with the page. */
const detailed = report.results.filter((result) => result.detailed);

function badge(verdict) {
  const signs = {VALID: "✓", SUSPECT: "?", INVALID: "✕"};
  return element("span", {class: `badge ${verdict}`}, `${signs[verdict] ?? ""} ${verdict}`);
}

function figureBox(value, unit, what) {
  return element("div", null, element("b", null, `${value} `, element("small", null, unit)), element("span", null, what));
}

/** Reasons or notes, each with what to do about it. */
function reasonList(reasons, words) {
  if (!reasons.length) return null;
  const item = ({text, advice}) => element("li", null, text, advice ? element("span", {class: "soft"}, ` — ${advice}`) : null);
  return element("div", null, element("p", null, words), element("ul", null, ...reasons.map(item)));
}

/** The row of flushed caches that goes with a run. */
const coldRun = (result, run) => result.runs.find((other) => other.cache === "cold" && run.cache !== "cold" &&
  sameWork({...other, cache: run.cache}, run) && other.isa === run.isa && other.algo === run.algo);

function headline(result, run) {
  const cold = coldRun(result, run);
  const per = run.batch === 1 ? "median of an image" : `median of a batch of ${run.batch}`;
  return element("header", {id: "headline"},
    element("p", {class: "soft"}, `resmark report · ${run.network} (${run.variant}), ${run.precision}`),
    element("h1", null, result.name),
    element("p", null, badge(run.verdict), ` ${runName(run)}`),
    reasonList(run.reasons, `Why this is ${run.verdict}:`),
    reasonList(run.notes, "To be known:"),
    element("div", {class: "headline"},
      figureBox(figures(run.rate), "images/s", `95 % interval ${interval(rateLow(run), rateHigh(run))}`),
      figureBox(figures(run.median), "ms", `${per}, ${interval(run.low, run.high)}`),
      figureBox(figures(run.p99), "ms", "99th percentile"),
      Number.isFinite(run.first) ? figureBox(figures(run.first), "ms", "the first run, nothing warm") : null,
      cold ? figureBox(figures(cold.median), "ms", `median with cold caches, ${interval(cold.low, cold.high)}`) : null,
      Number.isFinite(run.joules) ? figureBox(figures(run.joules), "J", "energy of an image") : null,
      figureBox(percent(run.share).replace(" %", ""), "%", `of the FMA ceiling, ${figures(run.ceiling)} GFLOP/s`)));
}

const fmaColumns = [
  {name: "FMA chains of", value: (one) => one.isa},
  {name: "threads", number: true, value: (one) => one.threads},
  {name: "GFLOP/s", number: true, value: (one) => figures(one.gflops)},
  {name: "GHz", number: true, value: (one) => figures(one.ghz || NaN, 3)},
  {name: "FLOP/cycle and core", number: true, value: (one) => figures(one.per_cycle || NaN, 3)},
];

const bandwidthColumns = [
  {name: "level", value: (one) => one.level},
  {name: "operation", value: (one) => one.operation},
  {name: "ISA", value: (one) => one.isa},
  {name: "threads", number: true, value: (one) => one.threads},
  {name: "GB/s", number: true, value: (one) => figures(one.gbs)},
  {name: "KiB a thread", number: true, value: (one) => figures(one.buffer / 1024)},
];

/** What this machine could do at most, as measured in the run. */
function ceilingTables(result) {
  if (!result.fma.length) return null;
  return element("details", null, element("summary", null, "Data table: measured ceilings"),
    table("FMA ceilings", fmaColumns, result.fma), table("Bandwidth ceilings", bandwidthColumns, result.bandwidth));
}

function machineCard(result) {
  const facts = result.facts.filter(([, value]) => value);
  return element("section", {id: "machine", class: "short", "aria-labelledby": "machine-title"},
    element("h2", {id: "machine-title"}, "Machine and build"),
    element("div", {class: "card"}, element("dl", null, ...facts.map(([name, value]) =>
      element("div", null, element("dt", null, name), element("dd", null, name === "Measured" ? value.replace("T", " ") : value))))),
    ceilingTables(result));
}

function runsSection(result) {
  return element("section", {id: "runs", "aria-labelledby": "runs-title"},
    element("h2", {id: "runs-title"}, "Everything that was measured"),
    table("Everything that was measured", runColumns, result.runs));
}

function choice(id, label, names, chosen, change) {
  const options = names.map((name, i) => element("option", {value: i, selected: i === chosen}, name));
  const list = element("select", {id}, ...options);
  list.addEventListener("change", () => change(Number(list.value)));
  return element("label", null, label, list);
}

function choices(results, resultIndex, runIndex) {
  const made = [];
  if (results.length > 1) made.push(choice("choose-result", "Result", results.map((result) => `${result.name} · ${result.file}`),
    resultIndex, (i) => show(i, results[i].best, "choose-result")));
  const runs = results[resultIndex].runs;
  if (runs.length > 1) made.push(choice("choose-run", "Configuration", runs.map(runName), runIndex,
    (i) => show(resultIndex, i, "choose-run")));
  return made.length ? element("div", {class: "choices"}, ...made) : null;
}

function footer() {
  const left = report.count - detailed.length;
  return element("footer", null,
    element("p", null, `Made by resmark ${report.version} from ${plural(report.count, "result file")}.` +
      (left ? ` The layers of ${left} of them are not in this page, to keep it small.` : "")),
    element("p", null, "A figure's interval is the distribution-free 95 % confidence interval of its median. " +
      "The FMA ceiling was measured in the same run on the same cores. GFLOP/s count two operations for each " +
      "multiply-add of the direct convolution, whatever the algorithm."),
    element("p", null, "Drawn with Observable Plot and D3 (ISC licence)."));
}

/** Shows one run of one result; `focus` names the list that keeps the focus. */
function show(resultIndex, runIndex, focus) {
  const result = detailed[resultIndex], run = result.runs[runIndex];
  figuresShown.length = 0;
  const sections = [headline(result, run), choices(detailed, resultIndex, runIndex), ...rankingSections(report.results, report.count),
    machineCard(result), rooflineSection(result, run), layersSection(run), isasSection(result, run),
    layersOfIsasSection(result, run), ...scalingSections(result, run), latencySection(run), runsSection(result), footer()];
  document.title = `resmark: ${result.name}`;
  document.getElementById("report").replaceChildren(...sections.filter((section) => section));
  fitFigures();
  if (focus) document.getElementById(focus)?.focus();
}

const first = detailed.reduce((best, result, i) =>
  (result.runs[result.best].rate > detailed[best].runs[detailed[best].best].rate ? i : best), 0);
show(first, detailed[first].best);
watchSizes(document.getElementById("report"));
