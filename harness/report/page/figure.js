// The frame of every plot: heading, plot, and the same figures as a table. Hovering, tapping and
// the arrow keys all go through Plot's own tips.

const figuresShown = [];

function drawFigure(shown, width) {
  shown.width = width;
  const plot = shown.draw(width);
  shown.place.replaceChildren(plot);
  const svg = plot.matches("svg") ? plot : plot.querySelector(":scope > svg");
  svg.setAttribute("role", "group");
  for (const drawn of svg.querySelectorAll("g[aria-label]")) {
    drawn.removeAttribute("aria-label");
    // Axes, lines and labels would be read as loose words; the marks' names and the table say it all.
    if (!drawn.matches(".mark")) drawn.setAttribute("aria-hidden", "true");
  }
  svg.setAttribute("aria-label", `${shown.title}. Arrow keys go from mark to mark.`);
  listenToKeys(svg, [...svg.querySelectorAll(".mark > *")]);
}

/** One tab stop a plot: the arrow keys, Home and End move between its marks. */
function listenToKeys(svg, marks) {
  marks.forEach((mark, i) => {
    mark.setAttribute("tabindex", i === 0 ? 0 : -1);
    mark.setAttribute("role", "img");
  });
  const steps = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity};
  svg.addEventListener("keydown", (event) => {
    const at = marks.indexOf(event.target);
    if (event.key === "Escape") hideTip(svg);
    if (at < 0 || !(event.key in steps)) return;
    event.preventDefault();
    const next = marks[Math.max(0, Math.min(marks.length - 1, at + steps[event.key]))];
    marks[at].setAttribute("tabindex", -1);
    next.setAttribute("tabindex", 0);
    next.focus();
  });
  svg.addEventListener("focusin", (event) => {
    if (event.target.matches(":focus-visible")) showTip(svg, event.target);
  });
  svg.addEventListener("focusout", () => hideTip(svg));
}

function showTip(svg, mark) {
  const box = mark.getBoundingClientRect();
  const place = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
  svg.dispatchEvent(new PointerEvent("pointermove", {...place, pointerType: "mouse"}));
}

function hideTip(svg) {
  svg.dispatchEvent(new PointerEvent("pointerleave", {pointerType: "mouse"}));
}

/** A table; columns are {name, value(row), number, wide}. One in which nothing is known is left out. */
function table(caption, allColumns, rows) {
  const columns = allColumns.filter((column) => rows.some((row) => column.value(row) !== "–"));
  const kind = (column) => (column.number ? "number" : column.wide ? "wide" : null);
  const cells = (row) =>
    columns.map((column) => element("td", {class: kind(column)}, String(column.value(row) ?? "–")));
  const heads = columns.map((column) => element("th", {scope: "col", class: kind(column)}, column.name));
  const whole = element("table", {"aria-label": caption},
    element("thead", null, element("tr", null, ...heads)),
    element("tbody", null, ...rows.map((row) => element("tr", null, ...cells(row)))));
  return element("div", {class: "table", tabindex: 0, role: "region", "aria-label": `${caption}, table`}, whole);
}

/**
 * A section with a plot and its table. `draw(width)` gives the plot; its main mark has the class
 * "mark" and an ariaLabel, and a tip. With no rows the note says why, and there is no plot.
 */
function figureSection({id, title, note, columns, rows, draw, tall}) {
  const heading = element("h2", {id: `${id}-title`}, title);
  const section = element("section", {id, class: tall ? null : "short", "aria-labelledby": `${id}-title`}, heading);
  if (note) section.append(element("p", {class: "note"}, note));
  if (!rows.length) return section;
  const place = element("div", {class: "plot"});
  section.append(element("figure", {"aria-labelledby": `${id}-title`}, place,
    element("details", null, element("summary", null, `Data table: ${title}`), table(title, columns, rows))));
  figuresShown.push({title, place, draw, width: 0});
  return section;
}

function fitFigures() {
  for (const shown of figuresShown) {
    const width = Math.floor(shown.place.clientWidth);
    if (width > 0 && width !== shown.width) drawFigure(shown, width);
  }
}

// A printed page is narrower than most windows.
const printWidth = 680;

function watchSizes(root) {
  new ResizeObserver(fitFigures).observe(root);
  addEventListener("beforeprint", () => figuresShown.forEach((shown) => drawFigure(shown, printWidth)));
  addEventListener("afterprint", fitFigures);
}

/** What all plots share. */
function plotOptions(width, options) {
  return {
    width,
    className: "drawn",
    style: {fontSize: "12px", fontFamily: "inherit", color: "var(--ink)"},
    ...options,
  };
}

/** A tip for the mark under or near the pointer; it reads what a screen reader reads. */
function tipFor(rows, place, pointer, label) {
  return Plot.tip(rows, pointer({...place, title: label, className: "tip", ariaLabel: null, ariaHidden: "true", lineWidth: 24, lineHeight: 1.35, fontSize: 12, fill: "var(--card)",
    stroke: "var(--soft)"}));
}
