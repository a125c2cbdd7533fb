// The page around the diagrams: the theme, links into a diagram, and print.
const root = document.documentElement;
const button = document.querySelector(".switch");
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
const name = () => { button.textContent = isDark() ? "Light" : "Dark"; };
button.hidden = false;
button.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; name(); });
system.addEventListener("change", name);
name();

const open = () => {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  for (let place = target; place; place = place.parentElement) if (place.localName === "details") place.open = true;
  if (target) target.scrollIntoView();
};
addEventListener("hashchange", open);
open();

addEventListener("click", (click) => {
  const link = click.target.closest("a.event");
  if (!link) return;
  const figure = document.querySelector(link.hash);
  figure.closest("details").open = true;
  figure.querySelector(".space-time").diagram?.select(link.dataset.event);
});

// A definition stands beside its word, inside the window, and over whatever scrolls.
const place = ({ target }) => {
  const term = target.closest?.(".term");
  if (!term) return;
  const [word, tip] = [term.getBoundingClientRect(), term.querySelector(".tip")];
  const isBelow = word.bottom + tip.offsetHeight + 12 < innerHeight;
  const top = isBelow ? word.bottom + 4 : word.top - tip.offsetHeight - 4;
  const left = Math.max(8, Math.min(word.left, innerWidth - tip.offsetWidth - 12));
  Object.assign(tip.style, { position: "fixed", top: `${top}px`, left: `${left}px` });
};
addEventListener("pointerover", place);
addEventListener("focusin", place);

// Paper is light, and cannot be unfolded.
let theme;
const repaint = () => {
  for (const { diagram } of document.querySelectorAll(".space-time")) {
    diagram?.recolour();
    diagram?.render();
  }
};
addEventListener("beforeprint", () => {
  theme = root.dataset.theme;
  root.dataset.theme = "light";
  for (const one of document.querySelectorAll("details.sheet")) one.open = true;
  repaint();
});
addEventListener("afterprint", () => {
  if (theme === undefined) delete root.dataset.theme;
  else root.dataset.theme = theme;
  repaint();
});
