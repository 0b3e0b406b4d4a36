// Before and after: two pictures above each other, and a line between them that is moved by pointer or keyboard.
function picture(src, alt) {
  const image = document.createElement("img");
  Object.assign(image, { src, alt, draggable: false });
  return image;
}

function render({ model, el }) {
  el.classList.add("pixapi-compare");
  const [before, after] = model.get("labels");
  const frame = document.createElement("div");
  const under = picture(model.get("after"), after);
  const over = picture(model.get("before"), before);
  const line = document.createElement("div");
  const range = document.createElement("input");
  const caption = document.createElement("div");
  frame.className = "pixapi-compare-frame";
  over.className = "pixapi-compare-over";
  line.className = "pixapi-compare-line";
  caption.className = "pixapi-compare-caption";
  Object.assign(range, { type: "range", min: 0, max: 100, step: 1, className: "pixapi-compare-range" });
  range.setAttribute("aria-label", `How much of ${before} is seen over ${after}`);
  for (const text of [before, after]) {
    const label = document.createElement("bdi");
    label.textContent = text;
    caption.append(label);
  }

  function move(percent) {
    range.value = percent;
    range.setAttribute("aria-valuetext", `${Math.round(percent)} % ${before}`);
    over.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
    line.style.left = `${percent}%`;
  }
  range.addEventListener("input", () => move(Number(range.value)));
  range.addEventListener("keydown", (event) => event.stopPropagation()); // arrows are the notebook's shortcuts too

  // The pointer moves the line wherever it goes down, so the picture itself is the handle.
  const at = (event) => {
    const box = frame.getBoundingClientRect();
    move(Math.min(100, Math.max(0, (100 * (event.clientX - box.left)) / box.width)));
  };
  frame.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    frame.setPointerCapture(event.pointerId);
    range.focus({ preventScroll: true });
    at(event);
  });
  frame.addEventListener("pointermove", (event) => frame.hasPointerCapture(event.pointerId) && at(event));

  move(50);
  frame.append(under, over, line, range);
  el.append(frame, caption);
}

export default { render };
