// The time of every layer, against the floors that arithmetic and memory set.

const boundColours = {arithmetic: "var(--c1)", bytes: "var(--c2)"};

const boundName = (layer) => (layer.bound === "bytes" && layer.level ? `bytes from ${layer.level}` : layer.bound);

/** Layers by their place in the network: names need not differ. */
function layerAxis(layers, width) {
  const most = width < 600 ? 15 : 24;
  const short = (name) => (name.length > most ? `${name.slice(0, most - 1)}…` : name);
  const longest = Math.max(...layers.map((layer) => short(layer.name).length));
  return {
    marginLeft: Math.max(48, Math.round(longest * 6.6) + 14),
    y: {type: "band", domain: layers.map((_, i) => i), tickFormat: (i) => short(layers[i].name), tickSize: 0,
      label: null, paddingInner: 0.25, paddingOuter: 0.2},
  };
}

function drawLayers(layers, width) {
  const place = {x1: () => 0, x2: "ms", y: (_, i) => i};
  const floors = layers.map((layer, i) => ({...layer, i})).filter((layer) => layer.floor > 0);
  const bounds = Object.keys(boundColours);
  return Plot.plot(plotOptions(width, {
    height: layers.length * 17 + 64,
    marginTop: 32,
    marginBottom: 32,
    marginRight: 16,
    ...layerAxis(layers, width),
    x: {label: "ms →", zero: true, ticks: width < 600 ? 4 : 8, axis: "both"},
    color: {domain: ["measured", ...bounds.map((bound) => `floor set by ${bound}`)],
      range: ["var(--bar)", ...Object.values(boundColours)], legend: true},
    marks: [
      Plot.gridX({stroke: "var(--rule)", strokeOpacity: 0.7}),
      Plot.barX(layers, {...place, fill: () => "measured", ariaLabel: layerTip, className: "mark"}),
      Plot.barX(floors, {x1: () => 0, x2: "floor", y: "i", insetTop: 3, insetBottom: 3,
        fill: (layer) => `floor set by ${layer.bound}`, className: "floor", pointerEvents: "none", ariaHidden: true}),
      Plot.ruleX([0], {stroke: "var(--soft)"}),
      tipFor(layers, {x: "ms", y: (_, i) => i}, Plot.pointerY, layerTip),
    ],
  }));
}

function layersSection(run) {
  const floors = run.layers.filter((layer) => layer.floor > 0);
  const sum = run.layers.reduce((ms, layer) => ms + layer.ms, 0);
  if (!run.layers.length) return figureSection({id: "layers", title: "Time of each layer against its floor",
    note: "The layers of this configuration were not measured one by one.", rows: []});
  let note = `Medians in the order of the network; together ${figures(sum)} ms.`;
  if (floors.length) {
    const reached = floors.reduce((ms, layer) => ms + layer.floor, 0) / floors.reduce((ms, layer) => ms + layer.ms, 0);
    note += ` A floor is the least time that the measured ceilings allow; taken together the layers reach ${percent(reached)} of it.`;
    const faster = floors.filter((layer) => layer.floor > layer.ms).length;
    if (faster) note += ` ${plural(faster, "layer")} ran faster than that: the ceilings were measured in a worse moment.`;
  }
  return figureSection({id: "layers", title: "Time of each layer against its floor", note, columns: layerColumns,
    rows: run.layers, tall: true, draw: (width) => drawLayers(run.layers, width)});
}
