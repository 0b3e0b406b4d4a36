// A grid of pictures. Click or Enter enlarges one; arrows go from one to the next, Escape comes back.
const make = (tag, className, text) => {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text) node.textContent = text;
  return node;
};

function render({ model, el }) {
  el.classList.add("pixapi-gallery");
  const items = model.get("items");
  const grid = make("div", "pixapi-gallery-grid");
  const box = make("dialog", "pixapi-gallery-box");
  const large = make("img");
  const caption = make("p", "pixapi-gallery-words");
  const count = make("p", "pixapi-gallery-count");
  const use = make("button", "pixapi-gallery-use", model.get("action"));
  const buttons = items.map(({ small, alt, caption }, index) => {
    const button = make("button", "pixapi-gallery-item");
    const image = make("img");
    Object.assign(image, { src: small, alt });
    button.type = "button";
    button.append(image, make("span", "pixapi-gallery-words", caption));
    button.addEventListener("click", () => open(index));
    return button;
  });
  let current = 0;

  function step(from, key) {
    const columns = getComputedStyle(grid).gridTemplateColumns.split(" ").length;
    const ways = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -from, End: items.length - 1 - from };
    return key in ways ? Math.min(items.length - 1, Math.max(0, from + ways[key])) : null;
  }

  function show(index) {
    current = index;
    Object.assign(large, { src: items[index].large, alt: items[index].alt });
    caption.textContent = items[index].caption;
    count.textContent = `${index + 1} of ${items.length}`;
    box.setAttribute("aria-label", `Picture ${index + 1} of ${items.length}`);
  }

  function open(index) {
    show(index);
    box.showModal();
  }

  // The notebook's own shortcuts (Enter, arrows, Escape) are not to hear these.
  grid.addEventListener("keydown", (event) => {
    const to = step(buttons.indexOf(event.target.closest("button")), event.key);
    if (to !== null) event.preventDefault(), buttons[to].focus();
    if (to !== null || event.key === "Enter" || event.key === " ") event.stopPropagation();
  });
  box.addEventListener("keydown", (event) => {
    event.stopPropagation();
    const sideways = { ArrowUp: "ArrowLeft", ArrowDown: "ArrowRight" }[event.key] ?? event.key;
    const to = step(current, sideways);
    if (to !== null) event.preventDefault(), show(to);
    if (event.key === "Enter" && event.target !== use) event.preventDefault(), box.close();
  });
  box.addEventListener("click", () => box.close());
  use.addEventListener("click", () => model.send({ event: "use", index: current }));
  box.addEventListener("close", () => buttons[current]?.focus());

  box.append(large, caption, count);
  if (model.get("action")) box.append(use);
  grid.append(...buttons);
  el.append(grid, box);
  return () => box.open && box.close();
}

export default { render };
