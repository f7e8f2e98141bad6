// Following a live run: the server says that the archive has changed, and the parts of the page that differ are exchanged.

const line = one("#live");
const say = (text, off = false) => {
  if (line.textContent !== text) line.textContent = text;
  line.classList.toggle("off", off);
};

const exchange = (fresh) => {
  const parts = ["header", ...all("main > section", fresh).map((part) => "#" + part.id), "#foot"];
  for (const selector of parts) {
    const [old, now] = [one(selector), one(selector, fresh)];
    if (!now) continue;
    if (!old) {
      const before = all("main > section", fresh).map((part) => part.id);
      const next = before.slice(before.indexOf(now.id) + 1).map((id) => one("#" + id)).find(Boolean);
      one("main").insertBefore(now.cloneNode(true), next || null);
      if (now.id === "leaderboard") furnish();
      enliven(one("main"));
    } else if (drawn.get(selector) !== now.outerHTML) {
      keep(old, now);
    }
    drawn.set(selector, now.outerHTML);
  }
  for (const old of all("#main > section")) {
    if (one("#" + old.id, fresh)) continue;
    drawn.delete("#" + old.id);
    old.remove();
  }
  one("nav").replaceChildren(...one("nav", fresh).children);
};
const drawn = new Map();
const keep = (old, now) => {
  const opened = all("details", old).map((part) => part.open);
  const within = old.contains(document.activeElement) ? document.activeElement : null;
  const [id, href] = [within?.id, within?.getAttribute("href")];
  const copy = now.cloneNode(true);
  all("details", copy).forEach((part, index) => { part.open = opened[index] ?? part.open; });
  copy.hidden = old.hidden;
  old.replaceWith(copy);
  if (copy.id === "leaderboard") furnish();
  enliven(copy);
  overview[0] = one("header");
  overview[3] = one("#foot");
  if (id) one("#" + CSS.escape(id))?.focus({ preventScroll: true });
  else if (href) all("a", copy).find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
};

let busy = false;
let again = false;
const refresh = async () => {
  if (busy) { again = true; return; }
  busy = true;
  const began = performance.now();
  try {
    const answer = await fetch("./?now");
    const text = await answer.text();
    if (!answer.ok) say(text, true);
    else {
      const fresh = new DOMParser().parseFromString(text, "text/html");
      const run = JSON.parse(one("#pages", fresh).textContent).run;
      const replaced = run === store.run ? "" : "The file now holds another run, " + run + ". ";
      exchange(fresh);
      if (place.hidden) document.title = fresh.title;
      title = fresh.title;
      say("Live. " + replaced + "Last change seen at " + new Date().toLocaleTimeString() + ".");
    }
  } catch { say(UNANSWERED, true); }
  const rest = Math.max(1500, 3 * (performance.now() - began)); // a large run is not read all the time
  await new Promise((done) => setTimeout(done, rest));
  busy = false;
  if (again) { again = false; refresh(); }
};

const follow = () => {
  for (const part of ["header", ...all("main > section").map((section) => "#" + section.id), "#foot"]) drawn.set(part, one(part).outerHTML);
  say("Live. Changes appear by themselves.");
  listen();
  // A page in the background asks for nothing; browsers also allow few streams to one server.
  document.addEventListener("visibilitychange", () => (document.hidden ? stream.close() : listen()));
};
let stream = null;
const listen = () => {
  stream?.close();
  stream = new EventSource("events");
  stream.addEventListener("changed", refresh);
  stream.addEventListener("gone", (event) => say(event.data, true));
  stream.addEventListener("error", () => say(UNANSWERED, true));
};

if (line) follow();
furnish();
enliven();
route();
