// The leaderboard: sorting, searching, and more rows than stand in the page. Rows are made as leaderboard.py makes them.

const DASH = "\u2013";
const board = { words: [], rows: [], champion: "", column: 0, down: false, text: "", shown: 100, found: [] };
const field = make("input", { type: "search", id: "board-search", placeholder: "Search name, operator, direction, flag", "aria-label": "Search the leaderboard" });
const moreRows = make("button", { type: "button", class: "more" });

// A row is [page, label, origin, then a text for each column from Fitness on]; texts are numbers that count into words.
const textAt = (row, column) => (column === 1 ? row[1] : board.words[row[column]]);
const valueAt = (row, column) => {
  const text = textAt(row, column);
  const number = /^[-+$]?[\d.,]+/.test(text) ? parseFloat(text.replace(/[$,]/g, "")) : NaN;
  return Number.isNaN(number) ? (text === DASH ? null : text.toLowerCase()) : number;
};

const strip = (dev, fresh, origin) => {
  const known = fresh !== DASH;
  const [middle, low, high] = ((known ? fresh : dev).match(/-?\d*\.\d\d/g) || []).map((end) => Math.round(parseFloat(end) * 100));
  if (middle === undefined) return "";
  const pixel = (value) => Math.min(Math.max(20 + value, 2), 138);
  const kind = (origin === "seed" ? "human" : "champion") + (known ? "" : " dev");
  const bar = high === undefined ? "" : `<line x1="${pixel(low)}" y1="8" x2="${pixel(high)}" y2="8" class="${kind} whisker"/>`;
  return `<svg viewBox="0 0 140 16" width="140" height="16" aria-hidden="true"><line x1="20" y1="8" x2="120" y2="8" class="grid"/><line x1="20" y1="3" x2="20" y2="13" class="axis"/><line x1="120" y1="3" x2="120" y2="13" class="axis"/>${bar}<circle cx="${pixel(middle)}" cy="8" r="4" class="${kind} point"/></svg>`;
};

const rowOf = (row, kinds) => {
  const made = make("tr", { id: row[0] });
  if (row[0] === board.champion) made.className = "top";
  const head = make("th", { scope: "row" });
  const link = make("a", { href: "#" + row[0] });
  if (row[1] === row[0].slice(2, 10)) link.append(make("span", { class: "mono" }, row[1]));
  else link.textContent = row[1];
  head.append(link);
  made.append(make("td", { class: "n" }, String(row.rank)), head);
  const picture = make("td", { class: "strip" });
  picture.innerHTML = strip(textAt(row, 4), textAt(row, 5), textAt(row, 2));
  made.append(picture);
  kinds.forEach((kind, index) => {
    const text = textAt(row, index + 3);
    const space = kind === "guess" ? text.indexOf(" ") : -1;
    const cell = make("td", {}, space < 0 ? text : text.slice(0, space));
    const style = [kind === "guess" ? "" : kind, text === DASH ? "none" : ""].filter(Boolean).join(" ");
    if (style) cell.className = style;
    if (space >= 0) cell.append(make("span", { class: "interval" }, text.slice(space)));
    made.append(cell);
  });
  return made;
};

const draw = () => {
  const kinds = all("#board thead th").slice(3).map((head) => head.dataset.kind);
  const shown = board.found.slice(0, board.shown);
  one("#board tbody").replaceChildren(...shown.map((row) => rowOf(row, kinds)));
  const left = board.found.length - shown.length;
  moreRows.hidden = left <= 0;
  moreRows.textContent = `Show ${Math.min(left, 200)} more`;
  const counted = board.rows.length.toLocaleString("en") + (board.rows.length === 1 ? " method was" : " methods were");
  const among = board.text ? `${board.found.length.toLocaleString("en")} of ${board.rows.length.toLocaleString("en")} methods match` : `${counted} judged OK`;
  one("#board-status").textContent = among + (left > 0 ? `; the first ${shown.length} are shown.` : ".");
};

const arrange = () => {
  const wanted = board.text.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (row) => {
    row.low ??= [row[0], row[1], ...row.slice(2).map((word) => board.words[word])].join("\n").toLowerCase();
    return wanted.every((word) => row.low.includes(word));
  };
  board.found = wanted.length ? board.rows.filter(fits) : [...board.rows];
  const { column, down } = board;
  if (column) {
    const keyed = board.found.map((row) => [valueAt(row, column), row]);
    keyed.sort(([a], [b]) => {
      if (a === null || b === null) return (a === null) - (b === null);
      if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
      return (a < b ? -1 : a > b ? 1 : 0) * (down ? -1 : 1);
    });
    board.found = keyed.map(([, row]) => row);
  } else if (down) board.found.reverse();
  draw();
};

const sortBy = (index, kind) => {
  const column = index === 0 ? 0 : index === 1 ? 1 : index === 2 ? 4 : index;
  const first = kind !== "rank" && kind !== "text" && kind !== "method";
  board.down = board.head === index ? !board.down : first;
  board.head = index;
  board.column = column;
  board.shown = 100;
  marks();
  arrange();
};
const marks = () => all("#board thead th").forEach((head, index) => {
  if (index === (board.head ?? 0)) head.setAttribute("aria-sort", board.down ? "descending" : "ascending");
  else head.removeAttribute("aria-sort");
});

const furnish = () => {
  if (!one("#board")) return;
  Object.assign(board, held("board-data"));
  board.rows.forEach((row, index) => { row.rank = index + 1; });
  all("#board thead th").forEach((head, index) => {
    const button = make("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => sortBy(index, head.dataset.kind));
    head.replaceChildren(button);
  });
  one("#board-tools").append(field);
  one("#board").parentElement.after(moreRows);
  marks();
  arrange();
};
field.addEventListener("input", () => {
  board.text = field.value;
  board.shown = 100;
  arrange();
});
moreRows.addEventListener("click", () => {
  board.shown += 200;
  draw();
});
