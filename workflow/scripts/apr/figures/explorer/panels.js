// What can stand on an axis, and the two panels: Bokeh draws one source in both.

const { contents, document: charts, places } = JSON.parse(document.getElementById("values").textContent);
const { models, tasks, sizes } = contents;
const at = (id) => document.getElementById(id);
const PANELS = [0, 1];
const MINUS = "\u2212";

// A page holds what is known; from here on what is not is null, for each model.
for (const task of tasks) {
  const known = new Map(task.of.map((number, i) => [number, task.values[i]]));
  task.values = models.map((_, number) => known.get(number) ?? null);
  task.of = known;
}
for (const model of models) {
  for (const key of ["family", "stages", ...sizes.map((size) => size.key)]) model[key] ??= null;
}

const arrow = (task) => (task.best === "least" ? "↓" : "↑");
const axes = [
  ...tasks.map((task) => ({ ...task, score: true, text: `${task.title}: ${task.label} ${arrow(task)}` })),
  ...sizes.map((size) => ({ ...size, name: size.key, text: size.title, values: models.map((model) => model[size.key]) })),
];
const numbered = models.map((_, number) => number);

const drawable = (value) => value ?? NaN;

/** A number as a reader sees it; a score in % to two decimals, any other to four digits. */
function shownNumber(value, unit = "") {
  if (value === null) return "";
  const text = unit === "%" ? value.toFixed(2) : String(Number(value.toPrecision(4)));
  return text.replace("-", MINUS);
}

/** The least and the greatest of numbers, however many. */
const ends = (values) => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);

/** Ranks of numbers from 1 on, ties at their average. */
function ranks(values) {
  const order = values.map((_, i) => i).sort((i, j) => values[i] - values[j]);
  const found = new Array(values.length);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1]] === values[order[start]]) end += 1;
    for (let i = start; i <= end; i += 1) found[order[i]] = (start + end) / 2 + 1;
    start = end + 1;
  }
  return found;
}

/** Spearman's rho of two lists; null where it is not defined. */
function spearman(x, y) {
  if (x.length < 3) return null;
  const [a, b] = [ranks(x), ranks(y)];
  const mean = (x.length + 1) / 2;
  let [xy, xx, yy] = [0, 0, 0];
  a.forEach((_, i) => {
    xy += (a[i] - mean) * (b[i] - mean);
    xx += (a[i] - mean) ** 2;
    yy += (b[i] - mean) ** 2;
  });
  return xx && yy ? xy / Math.sqrt(xx * yy) : null;
}

/** The values of an axis as they are ranked: of two scores each from the best on. */
function ranked(axis, other) {
  const turned = axis.score && other.score && axis.best !== "least";
  return turned ? axis.values.map((value) => (value === null ? null : axis.perfect - value)) : axis.values;
}

class Panels {
  constructor(bokeh) {
    this.bokeh = bokeh;
    this.points = bokeh.get_model_by_name("models");
    this.shown = numbered.map(() => true);
    this.current = null;
    this.on = PANELS.map(() => ({}));
    for (const i of PANELS) {
      for (const side of ["x", "y"]) {
        const select = at(`${side}${i}`);
        const groups = [["Tasks", axes.filter((axis) => axis.score)], ["Sizes", axes.filter((axis) => !axis.score)]];
        for (const [name, members] of groups.filter(([, list]) => list.length)) {
          const group = document.createElement("optgroup");
          group.label = name;
          group.append(...members.map((axis) => new Option(axis.text, axes.indexOf(axis))));
          select.append(group);
        }
        const first = contents.axes[i][side === "x" ? 0 : 1];
        select.value = Math.max(0, axes.findIndex((axis) => axis.name === first));
        select.addEventListener("change", () => this.place());
      }
    }
    this.place();
  }

  get selected() {
    return this.points.selected.indices;
  }

  set selected(numbers) {
    this.points.selected.indices = numbers;
  }

  /** The models that count now: those selected, or without a selection all that are shown. */
  get counted() {
    return this.selected.length ? this.selected : numbered.filter((number) => this.shown[number]);
  }

  /** Put the chosen tasks and sizes on the axes. */
  place() {
    const data = { name: models.map((model) => model.name) };
    for (const i of PANELS) {
      const [x, y] = ["x", "y"].map((side) => axes[at(`${side}${i}`).value]);
      Object.assign(data, { [`x${i}`]: x.values.map(drawable), [`y${i}`]: y.values.map(drawable) });
      if (this.on[i].x === x && this.on[i].y === y) continue;
      this.on[i] = { x, y };
      const both = numbered.filter((number) => x.values[number] !== null && y.values[number] !== null);
      const { x_range, y_range } = this.bokeh.get_model_by_name(`panel${i}`);
      fit(x_range, both.map((number) => x.values[number]));
      fit(y_range, both.map((number) => y.values[number]));
    }
    this.points.data = data;
    this.mark(this.current);
    this.correlate();
  }

  filter(shown) {
    this.shown = shown;
    this.bokeh.get_model_by_name("shown").booleans = shown;
    if (this.selected.some((number) => !shown[number])) this.selected = this.selected.filter((number) => shown[number]);
    this.correlate();
  }

  /** Draw a ring around a model. */
  mark(number) {
    this.current = number;
    const columns = Object.entries(this.points.data).filter(([name]) => name !== "name");
    const ring = columns.map(([name, values]) => [name, number === null ? [] : [values[number]]]);
    this.bokeh.get_model_by_name("current").data = Object.fromEntries(ring);
  }

  correlate() {
    for (const i of PANELS) {
      const { x, y } = this.on[i];
      const [a, b] = [ranked(x, y), ranked(y, x)];
      const both = this.counted.filter((number) => a[number] !== null && b[number] !== null);
      const rho = spearman(both.map((number) => a[number]), both.map((number) => b[number]));
      const lacking = this.counted.length - both.length;
      const value = rho === null ? "ρ undefined" : `ρ = ${rho.toFixed(2).replace("-", MINUS)}`;
      at(`rho${i}`).textContent = `${value}, n = ${both.length}${this.selected.length ? " selected" : ""}${lacking ? ` (${lacking} without both)` : ""}`;
    }
  }

  theme(colour) {
    for (const i of PANELS) {
      const points = this.bokeh.get_model_by_name(`points${i}`);
      for (const glyph of [points.glyph, points.nonselection_glyph]) glyph.fill_color = { value: colour("--inner") };
      points.glyph.line_color = { value: colour("--paper") };
      points.selection_glyph.line_color = { value: colour("--ink") };
      this.bokeh.get_model_by_name(`ring${i}`).glyph.line_color = { value: colour("--current") };
    }
  }
}

/** Let a range hold all values, and come back to that when it is reset. */
function fit(range, values) {
  const known = values.filter((value) => value !== null);
  const [low, high] = known.length ? ends(known) : [0, 1];
  const margin = 0.06 * (high - low) || 1;
  const [start, end] = [low - margin, high + margin];
  range.setv({ start, end, reset_start: start, reset_end: end });
}
