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

addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });
