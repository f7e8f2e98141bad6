// Opening methods by their address (#m-...), tips, arrow keys in heat maps.

const one = (selector, inside = document) => inside.querySelector(selector);
const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const make = (name, attributes = {}, text = "") => {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
};
const held = (id) => JSON.parse(one("#" + id)?.textContent || "{}");
const UNANSWERED = "The server does not answer: is `python -m evolve ui` still running?";
const store = held("pages");
let title = document.title;
const overview = ["header", "nav", "main", "#foot"].map((name) => one(name));
const place = one("#method");
let scrolled = 0;
let opener = "";

const sentence = (text) => {
  const article = make("article", { class: "method" });
  const back = make("p", { class: "crumb" });
  back.append(make("a", { href: "#leaderboard" }, "\u2190 All methods"));
  article.append(back, make("h1", { tabindex: "-1" }, "This method"), make("p", {}, text));
  return article;
};

const pageOf = async (name) => {
  const inside = store.pages[name];
  if (inside !== undefined) return new DOMParser().parseFromString(inside, "text/html").body.firstElementChild;
  if (!store.live) return sentence(store.missing + " See `python -m evolve show " + name.slice(2) + "`, or all of them with `python -m evolve ui`.");
  try {
    const answer = await fetch("method/" + name.slice(2));
    const text = await answer.text();
    if (!answer.ok) return sentence(text);
    return new DOMParser().parseFromString(text, "text/html").body.firstElementChild;
  } catch {
    return sentence(UNANSWERED);
  }
};

const route = async () => {
  const name = location.hash.slice(1);
  const opening = /^m-[0-9a-f]{1,12}$/.test(name);
  if (opening && place.hidden) scrolled = window.scrollY;
  const article = opening ? await pageOf(name) : null;
  if (location.hash.slice(1) !== name) return;
  const returning = !opening && !place.hidden;
  place.replaceChildren(...(article ? [article] : []));
  place.hidden = !opening;
  for (const part of overview) part.hidden = opening;
  document.title = opening ? (article.dataset.title || "Method") + " \u00b7 " + title : title;
  if (opening) {
    window.scrollTo(0, 0);
    one("h1", place).focus({ preventScroll: true });
  } else if (returning) {
    window.scrollTo(0, scrolled);
    all("a[href='#" + opener + "']").find((link) => link.getClientRects().length)?.focus({ preventScroll: true });
  }
  if (opening) opener = name;
};
window.addEventListener("hashchange", route);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !place.hidden) location.hash = "leaderboard";
});

// A tip takes the text of an element's <title>, which stays as its name for those who do not see it.
const tip = one("#tip");
const named = (target) => {
  const part = target.closest?.("svg [data-tip], svg a, svg rect, svg circle, svg path, svg line");
  const label = part && (part.dataset.tip ? part : one(":scope > title", part) ? part : part.closest("a"));
  if (!label) return null;
  const inside = one(":scope > title", label);
  if (inside) {
    label.dataset.tip = inside.textContent;
    if (!label.hasAttribute("aria-label")) label.setAttribute("aria-label", inside.textContent);
    inside.remove();
  }
  return label.dataset.tip ? label : null;
};
const show = (part, x, y) => {
  tip.hidden = !part;
  if (!part) return;
  tip.textContent = part.dataset.tip;
  const size = tip.getBoundingClientRect();
  tip.style.left = Math.max(8, Math.min(x + 14, innerWidth - size.width - 8)) + "px";
  tip.style.top = (y + 18 + size.height > innerHeight ? y - size.height - 12 : y + 18) + "px";
};
document.addEventListener("pointermove", (event) => show(named(event.target), event.clientX, event.clientY));
document.addEventListener("focusout", () => show(null));
// What has the focus is told under it, also after the page has scrolled to it.
const tell = () => {
  const held = document.activeElement;
  const part = held?.matches(":focus-visible") && held.closest("svg") ? named(held) : null;
  const box = part?.getBoundingClientRect();
  show(part, box?.left, box?.bottom - 12);
};
document.addEventListener("focusin", tell);
document.addEventListener("scroll", tell, { passive: true, capture: true });

// A heat map is one stop of the tab key; arrow keys go to the nearest occupied cell that lies in their direction.
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
const spot = (cell) => [Number(cell.dataset.x), Number(cell.dataset.y)];
const enliven = (inside = document) => {
  for (const map of all("svg", inside)) all("a.heat", map).forEach((cell, index) => cell.setAttribute("tabindex", index ? "-1" : "0"));
};
document.addEventListener("keydown", (event) => {
  const cell = event.target.closest?.("a.heat");
  const arrow = ARROWS[event.key];
  if (!cell || !arrow) return;
  event.preventDefault();
  const [x, y] = spot(cell);
  const reach = (other) => {
    const [dx, dy] = [spot(other)[0] - x, spot(other)[1] - y];
    const along = dx * arrow[0] + dy * arrow[1];
    return along > 0 ? along + 3 * Math.abs(dx * arrow[1] + dy * arrow[0]) : Infinity;
  };
  const cells = all("a.heat", cell.closest("svg"));
  const next = cells.reduce((best, other) => (reach(other) < reach(best) ? other : best), cell);
  if (reach(next) === Infinity) return;
  for (const other of cells) other.setAttribute("tabindex", other === next ? "0" : "-1");
  next.focus();
});
