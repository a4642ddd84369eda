// Elements and numbers. Text from a result file only ever becomes a text node or an attribute's value.

/** Makes an element; a null or false attribute is left out. */
function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** A number to `digits` significant digits, without an exponent; a dash when it is not known. */
function figures(value, digits = 4) {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const decimals = Math.max(0, Math.min(9, digits - 1 - Math.floor(Math.log10(Math.abs(value)))));
  return value.toFixed(decimals);
}

const percent = (share) => (Number.isFinite(share) ? `${(100 * share).toFixed(1)} %` : "–");

const interval = (low, high) =>
  Number.isFinite(low) && Number.isFinite(high) ? `${figures(low)} to ${figures(high)}` : "–";

const plural = (count, what) => `${count} ${what}${count === 1 ? "" : "s"}`;

/** How a run is named in tables, lists and tips. */
function runName(run) {
  const parts = [`${run.isa} ${run.algo}`, plural(run.threads, "thread"), `batch ${run.batch}`];
  if (run.instances > 1) parts.push(plural(run.instances, "instance"));
  if (run.cache === "cold") parts.push("cold caches");
  return parts.join(", ");
}

const distinct = (values) => [...new Set(values)];

/** Images a second at an interval's ends: the slow end of the time is the low end of the rate. */
const rateLow = (run) => (run.rate * run.median) / run.high;
const rateHigh = (run) => (run.rate * run.median) / run.low;

const seriesColours = ["var(--c1)", "var(--c2)", "var(--c3)", "var(--c4)", "var(--c5)", "var(--c6)"];
const seriesSymbols = ["circle", "square", "triangle", "diamond", "star", "cross"];
