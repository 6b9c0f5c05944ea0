// The page: filters, what one part tells the others, the file of the selection, light and dark.

await Bokeh.embed.embed_items({ explorer: charts }, [{ docid: "explorer", roots: places, root_ids: Object.keys(places) }]);
const bokeh = Bokeh.documents.at(-1);
const panels = new Panels(bokeh);
const card = new Card(bokeh);
const table = new Models({ current: show, toggled: toggle });
const dark = matchMedia("(prefers-color-scheme: dark)");

/** Show one model everywhere. */
function show(number) {
  if (number === panels.current) return;
  panels.mark(number);
  card.show(number);
  table.mark(number);
}

function toggle(number) {
  const { selected } = panels;
  panels.selected = selected.includes(number) ? selected.filter((one) => one !== number) : [...selected, number];
}

function selectionChanged() {
  const { selected } = panels;
  panels.correlate();
  card.select(selected);
  table.select(selected);
  count();
}

function count() {
  const shown = panels.shown.filter(Boolean).length;
  at("counts").textContent = `${shown} of ${models.length} models shown, ${panels.selected.length} selected`;
  at("clear").disabled = !panels.selected.length;
}

/** Two fields for each size: from and to. */
function sizeFields() {
  for (const { key, title } of sizes) {
    const known = models.map((model) => model[key]).filter((value) => value !== null);
    const field = (end, value) => {
      const said = `${title}, ${end}`;
      const more = { type: "number", step: "any", id: `${key}-${end}`, placeholder: Number(value.toPrecision(4)) };
      const made = element("input", "", more);
      made.setAttribute("aria-label", said);
      return made;
    };
    const both = element("span", `${title} `);
    const [least, greatest] = ends(known);
    both.append(field("from", least), " to ", field("to", greatest));
    at("sizes").append(both);
  }
}

const compared = models.map((_, number) => tasks.filter((task) => task.of.has(number)).length);
at("several").hidden = !compared.some((count) => count > 1) || compared.every((count) => count > 1);

function filter() {
  const fewest = at("several").hidden || !at("compared").checked ? 0 : 2;
  const text = at("name").value.trim().toLowerCase();
  const asked = sizes.map(({ key }) => [key, at(`${key}-from`).valueAsNumber, at(`${key}-to`).valueAsNumber]);
  const shown = models.map((model, number) => {
    if (compared[number] < fewest) return false;
    const named = `${model.name}\n${model.family ?? ""}`.toLowerCase().includes(text);
    return named && asked.every(([key, from, to]) => {
      if (Number.isNaN(from) && Number.isNaN(to)) return true;
      return model[key] !== null && !(model[key] < from) && !(model[key] > to);
    });
  });
  panels.filter(shown);
  table.filter(shown);
  count();
}

/** The models that count now, in the order of the table, as CSV: sizes, and the score on each task by its name. */
function csv() {
  const counted = new Set(panels.counted);
  const quoted = (value) => (/[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  const head = ["model", ...(FAMILY ? ["family"] : []), ...sizes.map((size) => size.key), ...tasks.map((task) => task.name)];
  const rows = table.order.filter((number) => counted.has(number)).map((number) => {
    const model = models[number];
    const scores = tasks.map((task) => task.values[number]);
    return [model.name, ...(FAMILY ? [model.family] : []), ...sizes.map((size) => model[size.key]), ...scores];
  });
  return [head, ...rows].map((row) => `${row.map((value) => quoted(String(value ?? ""))).join(",")}\n`).join("");
}

function exportFile() {
  const address = URL.createObjectURL(new Blob([csv()], { type: "text/csv" }));
  element("a", "", { href: address, download: "explorer.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const [paper, ink, line] = [colour("--paper"), colour("--ink"), colour("--line")];
  for (const name of ["panel0", "panel1", "curves"]) {
    const chart = bokeh.get_model_by_name(name);
    chart.setv({ background_fill_color: paper, border_fill_color: paper, outline_line_color: line });
    for (const axis of [...chart.below, ...chart.left]) {
      const lines = { axis_line_color: line, major_tick_line_color: line, minor_tick_line_color: null };
      axis.setv({ ...lines, major_label_text_color: ink, major_label_text_font_size: "12px" });
    }
    for (const grid of chart.center) grid.grid_line_color = colour("--band");
  }
  panels.theme(colour);
  card.theme(colour);
}

function sources() {
  const head = ["Task", "Name", "Metric", "Scores are", "Runs that count", "Diverged", "SHA-256 of the score table"];
  at("sources").createTHead().insertRow().append(...head.map((text) => element("th", text, { scope: "col" })));
  const body = at("sources").createTBody();
  for (const task of tasks) {
    const cells = [task.title, task.name, task.metric, task.from, task.count, task.lost, `${task.digest}…`];
    body.insertRow().append(...cells.map((text) => element("td", text)));
  }
}

const several = compared.filter((count) => count > 1).length;
const alone = at("several").hidden ? "" : ` ${models.length - several} more have a score on one task alone.`;
at("summary").textContent = `Explorer of ${alone ? several : models.length} models and ${tasks.length} tasks. Each point is a model.${alone}`;
sizeFields();
sources();
theme();
filter();
const preferred = () => card.prefer(axes[at("y0").value].name);
preferred();
at("y0").addEventListener("change", preferred);
dark.addEventListener("change", theme);
panels.points.selected.properties.indices.change.connect(selectionChanged);
panels.points.inspect.connect(() => {
  const [number] = panels.points.inspected.indices;
  if (number !== undefined) show(number);
});
at("filters").addEventListener("input", filter);
at("filters").addEventListener("reset", () => setTimeout(filter));
at("filters").addEventListener("submit", (event) => event.preventDefault());
at("clear").addEventListener("click", () => (panels.selected = []));
at("export").addEventListener("click", exportFile);
document.body.dataset.ready = "yes";
