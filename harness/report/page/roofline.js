// The roofline: every layer that calculates, against the FMA ceiling and the memory's bandwidths.

const layerKinds = [
  {name: "1×1 convolution", has: (layer) => layer.kind === "conv" && layer.kernel_size === 1},
  {name: "direct convolution", has: (layer) => layer.kind === "conv" && !layer.algo.startsWith("winograd")},
  {name: "Winograd convolution", has: (layer) => layer.kind === "conv"},
  {name: "dense", has: (layer) => layer.kind === "dense"},
  {name: "other", has: () => true},
];

/** GFLOP/s of the operations that the layer's algorithm needs: Winograd's are fewer than the direct convolution's. */
const achieved = (layer) => (layer.algorithm_flops ?? 0) / layer.ms / 1e6;

const intensity = (layer) => (layer.algorithm_flops ?? 0) / layer.bytes;

const layerKind = (layer) => layerKinds.find((kind) => kind.has(layer)).name;

function layerTip(layer) {
  const lines = [`${layer.name}: ${layer.shape}`, `${layer.algo}, ${layer.kernel}`, `${figures(layer.ms)} ms`];
  if (layer.gflops > 0) lines.push(`${figures(layer.gflops)} GFLOP/s, ${percent(layer.share)} of the FMA ceiling`);
  if (intensity(layer) > 0) lines.push(`${figures(intensity(layer), 3)} FLOP a byte`);
  if (layer.floor > 0) lines.push(`floor ${figures(layer.floor)} ms, set by ${boundName(layer)}; ${percent(layer.floor / layer.ms)} reached`);
  return lines.join("\n");
}

const layerColumns = [
  {name: "layer", value: (layer) => layer.name},
  {name: "shape", value: (layer) => layer.shape},
  {name: "algorithm", value: (layer) => layer.algo},
  {name: "kernel", value: (layer) => layer.kernel},
  {name: "ms", number: true, value: (layer) => figures(layer.ms)},
  {name: "arithmetic floor ms", number: true, value: (layer) => figures(layer.floor_arithmetic)},
  {name: "byte floor ms", number: true, value: (layer) => figures(layer.floor_bytes)},
  {name: "of the floor", number: true, value: (layer) => percent(layer.floor / layer.ms)},
  {name: "GFLOP/s", number: true, value: (layer) => figures(layer.gflops)},
  {name: "of the ceiling", number: true, value: (layer) => percent(layer.share)},
  {name: "FLOP/byte", number: true, value: (layer) => figures(intensity(layer), 3)},
];

/** The bandwidths that were measured on as many cores, each level once: with this ISA's loads where there are such. */
function roofsOf(result, run) {
  const fits = result.bandwidth.filter((one) => one.operation === "read" && one.threads === run.threads * run.instances);
  const levels = distinct(fits.map((one) => one.level));
  const pick = (level) => fits.find((one) => one.level === level && one.isa === run.isa) ?? fits.find((one) => one.level === level);
  return levels.map((level) => ({name: level, gbs: pick(level).gbs}));
}

/** The x and y extent of the plot: all points, and the knee of every roof. */
function roofExtent(rows, run, roofs) {
  const knees = roofs.map((roof) => run.ceiling / roof.gbs);
  const x = [...rows.map(intensity), ...knees];
  const y = [...rows.map(achieved), run.ceiling];
  return {x: [Math.min(...x) / 2, Math.max(...x) * 1.6], y: [Math.min(...y) / 1.6, Math.max(...y) * 1.5]};
}

/** A roof as the plot's line: up at its bandwidth, then flat at the FMA ceiling. */
function roofLine(roof, run, extent) {
  const knee = run.ceiling / roof.gbs;
  const points = [extent.x[0], knee, extent.x[1]];
  return points.map((x) => ({x, y: Math.min(run.ceiling, x * roof.gbs), name: roof.name}));
}

/** Where a roof's name stands: on its slope, a little inside the frame, turned along it. */
function roofNames(roofs, extent, inner) {
  const decades = (range) => Math.log10(range[1] / range[0]);
  const slope = inner.height / decades(extent.y) / (inner.width / decades(extent.x));
  return roofs.map((roof) => {
    const x = Math.max(extent.x[0] * 1.15, (extent.y[0] * 1.3) / roof.gbs);
    const angle = (-Math.atan(slope) * 180) / Math.PI;
    return {x, y: x * roof.gbs, angle, text: `${roof.name} ${figures(roof.gbs, 3)} GB/s`};
  });
}

function drawRoofline(rows, run, roofs, width) {
  const extent = roofExtent(rows, run, roofs);
  const height = Math.round(Math.max(340, Math.min(520, width * 0.55)));
  const margins = {marginLeft: 48, marginRight: 16, marginTop: 24, marginBottom: 40};
  const inner = {width: width - 64, height: height - 64};
  const names = roofNames(roofs, extent, inner);
  const kinds = layerKinds.map((kind) => kind.name).filter((name) => rows.some((layer) => layerKind(layer) === name));
  const ceiling = [{x: extent.x[1], y: run.ceiling, text: `FMA ceiling ${figures(run.ceiling)} GFLOP/s`}];
  const colours = kinds.map((name) => seriesColours[layerKinds.findIndex((kind) => kind.name === name)]);
  const symbols = kinds.map((name) => seriesSymbols[layerKinds.findIndex((kind) => kind.name === name)]);
  const label = (text, options) => ({x: "x", y: "y", text, fill: "var(--soft)", stroke: "var(--paper)",
    strokeWidth: 4, ...options});
  return Plot.plot(plotOptions(width, {
    height,
    ...margins,
    x: {type: "log", domain: extent.x, label: "arithmetic intensity, FLOP/byte →", tickFormat: "~g", ticks: width < 600 ? 4 : 8},
    y: {type: "log", domain: extent.y, label: "↑ GFLOP/s", tickFormat: "~g", ticks: 5},
    symbol: {domain: kinds, range: symbols, legend: true},
    color: {domain: kinds, range: colours},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7, ticks: 4}),
      Plot.gridY({stroke: "var(--rule)", strokeOpacity: 0.7, ticks: 4}),
      Plot.ruleY([run.ceiling], {stroke: "var(--ink)", strokeWidth: 1.5, className: "ceiling"}),
      roofs.map((roof) => Plot.line(roofLine(roof, run, extent), {x: "x", y: "y", stroke: "var(--ink)",
        strokeWidth: 1.2, clip: true, className: "roof"})),
      names.map((name) => Plot.text([name], label("text", {rotate: name.angle, textAnchor: "start", dy: -7}))),
      Plot.text(ceiling, label("text", {textAnchor: "end", dy: -9})),
      Plot.dot(rows, {x: intensity, y: achieved, r: 5, symbol: layerKind, fill: layerKind, stroke: "var(--paper)",
        strokeWidth: 1, ariaLabel: layerTip, className: "mark"}),
      tipFor(rows, {x: intensity, y: achieved}, Plot.pointer, layerTip),
    ],
  }));
}

function rooflineSection(result, run) {
  const roofs = roofsOf(result, run);
  const rows = run.layers.filter((layer) => intensity(layer) > 0 && layer.ms > 0);
  const silent = run.layers.length - rows.length;
  const parts = ["Each point is a layer: hover, tap or use the arrow keys for its name. The roof over it, FMA ceiling or a " +
    "memory's bandwidth, is as fast as it can get; which memory counts depends on where its data lie."];
  if (rows.some((layer) => layer.algo.startsWith("winograd"))) parts.push("Winograd is counted in its own operations.");
  if (!roofs.length) parts.push("No bandwidth was measured on as many cores.");
  if (silent) parts.push(`${plural(silent, "layer")} without multiply-adds (pools, softmax) are among the times below.`);
  return figureSection({id: "roofline", title: "Roofline of the layers", note: rows.length ? parts.join(" ")
    : "This result has no layer whose operations and bytes are known.", columns: layerColumns, rows,
    draw: (width) => drawRoofline(rows, run, roofs, width)});
}
