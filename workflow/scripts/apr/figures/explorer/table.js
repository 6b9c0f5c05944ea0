// Every model in a table that can be sorted, walked through with the arrow keys, and selected from.

const FAMILY = models.some((model) => model.family);
const MOST = 1000; // rows, the first of those that are shown in the order of the table
const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

class Models {
  /** `told` has what happens: current(number), toggled(number). */
  constructor(told) {
    this.told = told;
    this.columns = [
      { text: "Model", of: (number) => models[number].name, up: true },
      ...(FAMILY ? [{ text: "Family", of: (number) => models[number].family, up: true }] : []),
      ...sizes.map(({ key, title }) => ({ text: title, of: (number) => models[number][key], up: true })),
      ...tasks.map((task) => ({
        text: `${task.title}: ${task.label} ${arrow(task)}`,
        of: (number) => task.values[number],
        shown: (number) => scoreText(task, number),
        up: task.best === "least",
      })),
    ];
    this.body = at("models").tBodies[0];
    const [, longest] = ends(models.map((model) => model.name.length));
    const widths = this.columns.map((column, i) => (i ? "8em" : `${Math.min(Math.max(longest + 5, 10), 48)}ch`));
    at("models").style.setProperty("--columns", widths.join(" "));
    const head = at("models").tHead.insertRow();
    head.role = "row"; // said, since the rows are laid out as no table is
    this.heads = this.columns.map((column, i) => {
      const cell = element("th", "", { scope: "col", role: "columnheader" });
      const button = element("button", column.text, { type: "button", title: "Sort" });
      button.addEventListener("click", () => this.sort(i));
      cell.append(button);
      head.append(cell);
      return cell;
    });
    this.rows = new Map();
    this.order = numbered.slice();
    this.shown = numbered.map(() => true);
    this.chosen = new Set();
    this.body.addEventListener("focusin", (event) => this.told.current(Number(event.target.dataset.number)));
    this.body.addEventListener("keydown", (event) => this.pressed(event));
    this.body.addEventListener("click", (event) => {
      const row = event.target.closest("tr");
      if (row && (event.ctrlKey || event.metaKey || event.shiftKey)) this.told.toggled(Number(row.dataset.number));
    });
    const first = this.columns.findIndex((column) => column.shown);
    this.sort(first < 0 ? 0 : first);
  }

  /** The row of a model, made when it is first shown. */
  row(number) {
    if (!this.rows.has(number)) this.rows.set(number, this.made(number));
    return this.rows.get(number);
  }

  made(number) {
    const row = element("tr", "", { tabIndex: -1, role: "row" });
    row.dataset.number = number;
    row.append(
      ...this.columns.map(({ of, shown }) => {
        const value = of(number);
        const text = shown ? shown(number) : typeof value === "number" ? shownNumber(value) : (value ?? "");
        return element("td", text, { role: "gridcell" });
      }),
    );
    row.cells[0].title = models[number].name;
    row.setAttribute("aria-selected", this.chosen.has(number));
    return row;
  }

  /** Sort by a column, its best first, and the other way round at the second time; what has no value comes last. */
  sort(column) {
    const { of, up } = this.columns[column];
    const again = this.sorted === column;
    this.up = again ? !this.up : up;
    this.sorted = column;
    const turn = this.up ? 1 : -1;
    const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
    this.order.sort((i, j) => {
      const [a, b] = [of(i), of(j)];
      if (a === null || b === null) return (a === null) - (b === null) || i - j;
      return turn * compare(a, b) || i - j;
    });
    this.heads.forEach((head, i) => {
      head.setAttribute("aria-sort", i !== column ? "none" : this.up ? "ascending" : "descending");
    });
    this.draw();
  }

  /** Show some models, by a truth value each. */
  filter(shown) {
    this.shown = shown;
    this.draw();
  }

  draw() {
    const shown = this.order.filter((number) => this.shown[number]);
    this.visible = shown.slice(0, MOST);
    this.body.replaceChildren(...this.visible.map((number) => this.row(number)));
    at("more").textContent = shown.length > MOST ? `The first ${MOST} of ${shown.length} rows in this order.` : "";
    this.reached();
  }

  /** One row can be reached with Tab, the others from it. */
  reached() {
    if (this.first !== undefined) this.row(this.first).tabIndex = -1;
    this.first = this.visible.includes(this.current) ? this.current : this.visible[0];
    if (this.first !== undefined) this.row(this.first).tabIndex = 0;
  }

  select(numbers) {
    this.chosen = new Set(numbers);
    this.rows.forEach((row, number) => row.setAttribute("aria-selected", this.chosen.has(number)));
  }

  mark(number) {
    this.rows.get(this.current)?.classList.remove("current");
    this.row(number).classList.add("current");
    this.current = number;
    this.reached();
  }

  pressed(event) {
    const number = Number(event.target.dataset.number);
    if (event.key in MOVES) {
      const place = this.visible.indexOf(number) + MOVES[event.key];
      this.row(this.visible[Math.min(Math.max(place, 0), this.visible.length - 1)]).focus();
    } else if (event.key === " " || event.key === "Enter") {
      this.told.toggled(number);
    } else {
      return;
    }
    event.preventDefault();
  }
}
