// One model: its stages, scores, runs and curve.

const RUNS_SHOWN = 12;
const LINES_SHOWN = 100; // thin curves of selected models

/** An element with text; whatever the text holds, it is text. */
function element(kind, text = "", more = {}) {
  const made = document.createElement(kind);
  made.textContent = text;
  return Object.assign(made, more);
}

function drawn(kind, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.textContent = text;
  return made;
}

/** The stages side by side: a bar for each block, and the genes below. */
function stagesOf({ block, depths, widths, bottlenecks, groups }) {
  const [wide, high, below] = [360, 70, 62];
  const said = depths.map((depth, i) => `stage ${i + 1}: ${depth} blocks of width ${widths[i]}`).join("; ");
  const picture = drawn("svg", { viewBox: `0 0 ${wide} ${high + below}`, role: "img", "aria-label": said });
  const total = depths.reduce((sum, depth) => sum + depth, 0);
  const least = 62; // what the text below a stage takes
  const step = (wide - least * depths.length) / total;
  const height = (width) => Math.max(2, high * Math.sqrt(width / WIDEST));
  let left = 0;
  depths.forEach((depth, i) => {
    const room = least + step * depth;
    const bar = Math.min(14, (room - 8) / depth);
    for (let number = 0; number < depth; number += 1) {
      const place = { x: left + number * bar, width: bar * 0.8 };
      const bars = [["bar", widths[i]], ...(bottlenecks ? [["inner", widths[i] / bottlenecks[i]]] : [])];
      for (const [name, width] of bars) {
        picture.append(drawn("rect", { ...place, class: name, y: high - height(width), height: height(width) }));
      }
    }
    const lines = [`stage ${i + 1}`, `d ${depth}, w ${widths[i]}`];
    lines.push(bottlenecks ? `b ${bottlenecks[i]}, g ${groups[i]}` : block);
    lines.forEach((line, row) => picture.append(drawn("text", { x: left, y: high + 16 + 15 * row }, line)));
    left += room;
  });
  return picture;
}

const WIDEST = Math.max(1, ends(models.flatMap((model) => model.stages?.widths ?? []))[1]);

/** What is known of the runs of a model on a task, in words. */
function runsOf(task, number) {
  if (task.run !== null) return task.run;
  const runs = task.runs[number] ?? [];
  if (runs.length === 1) return runs[0][0];
  const said = ([which, value]) => `${which || "run"}: ${value === null ? "diverged" : shownNumber(value, task.unit)}`;
  const known = runs.map(([, value]) => value).filter((value) => value !== null);
  const spread = known.length ? ` from ${ends(known).map((value) => shownNumber(value, task.unit)).join(" to ")}` : "";
  const rest = runs.length > RUNS_SHOWN ? `; … in all ${runs.length} runs${spread}` : "";
  return runs.slice(0, RUNS_SHOWN).map(said).join("; ") + rest;
}

function scoreText(task, number) {
  const value = task.values[number];
  return value !== null ? shownNumber(value, task.unit) : task.of.has(number) ? "diverged" : "";
}

class Card {
  constructor(bokeh) {
    this.bokeh = bokeh;
    this.followed = tasks.filter((task) => task.epochs.length);
    at("progress").hidden = !this.followed.length;
    at("curve").append(...this.followed.map((task, i) => new Option(`${task.title}: ${task.label} ${arrow(task)}`, i)));
    at("curve").addEventListener("change", () => this.follow());
    this.number = null;
    this.selected = [];
    this.follow();
  }

  /** Follow a task, if it has curves. */
  prefer(name) {
    const place = this.followed.findIndex((task) => task.name === name);
    if (place < 0) return;
    at("curve").value = place;
    this.follow();
  }

  show(number) {
    this.number = number;
    const model = models[number];
    at("model").textContent = model.name;
    const known = sizes.filter((size) => model[size.key] !== null);
    const about = known.map((size) => `${size.title}: ${shownNumber(model[size.key])}`);
    at("about").textContent = [...(model.family ? [`Family: ${model.family}`] : []), ...about].join(" · ");
    at("stages").replaceChildren(...(model.stages ? [stagesOf(model.stages)] : []));
    this.follow();
    const scored = tasks.filter((task) => task.of.has(number));
    const runs = scored.map((task) => runsOf(task, number));
    const columns = ["Task", "Score", ...(runs.some(Boolean) ? ["Runs"] : [])];
    const table = element("table");
    table.createTHead().insertRow().append(...columns.map((text) => element("th", text, { scope: "col" })));
    const body = table.createTBody();
    scored.forEach((task, i) => {
      const values = [`${task.title}: ${task.label} ${arrow(task)}`, scoreText(task, number), runs[i]];
      body.insertRow().append(...values.slice(0, columns.length).map((value) => element("td", value)));
    });
    at("own").replaceChildren(table);
  }

  select(numbers) {
    this.selected = numbers;
    this.follow();
  }

  /** The curve of the model, over those of the selected ones. */
  follow() {
    const task = this.followed[at("curve").value];
    if (!task) return;
    const lines = (numbers) => numbers.flatMap((number) => task.curves[number] ?? []);
    const filled = (name, curves) => {
      const values = curves.map((curve) => curve.map(drawable));
      this.bokeh.get_model_by_name(name).data = { epochs: values.map(() => task.epochs), values };
    };
    const own = this.number === null ? [] : lines([this.number]);
    const others = lines(this.selected.filter((number) => number !== this.number)).slice(0, LINES_SHOWN);
    filled("own", own);
    filled("others", others);
    const chart = this.bokeh.get_model_by_name("curves");
    fit(chart.x_range, task.epochs);
    fit(chart.y_range, own.length + others.length ? [...own, ...others].flat() : Object.values(task.curves).flat(2));
  }

  theme(colour) {
    this.bokeh.get_model_by_name("own_lines").glyph.line_color = { value: colour("--current") };
    this.bokeh.get_model_by_name("other_lines").glyph.line_color = { value: colour("--inner") };
  }
}
