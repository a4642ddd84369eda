// What the report uses of Observable Plot; scripts/setup bundles it with esbuild into data/plot.js.
export {barX, dot, frame, gridX, gridY, line, link, plot, pointer, pointerX, pointerY, rectY, ruleX, ruleY, text, tip} from "@observablehq/plot";
