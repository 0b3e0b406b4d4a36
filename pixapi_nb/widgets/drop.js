// A place for a picture: dropped there, or chosen in the file dialog that it opens.
const PART = 4 * 1024 * 1024; // bytes; a Jupyter server takes no message above 10 MB

async function give(model, file) {
  const id = crypto.getRandomValues(new Uint32Array(1))[0];
  if (file.size > model.get("largest")) return model.send({ event: "large", name: file.name });
  const count = Math.max(1, Math.ceil(file.size / PART));
  for (let index = 0; index < count; index += 1) {
    const part = await file.slice(index * PART, (index + 1) * PART).arrayBuffer();
    model.send({ event: "part", id, index, count, name: file.name }, undefined, [part]);
  }
}

export default {
  render({ model, el }) {
    const zone = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "file", accept: "image/*" });
    const words = Object.assign(document.createElement("span"), { textContent: model.get("words") });
    zone.className = "pixapi-drop";
    zone.append(input, words);
    el.append(zone);

    const take = (files) =>
      files.length ? give(model, files[0]).catch(() => model.send({ event: "unread" })) : model.send({ event: "none" });
    input.addEventListener("change", () => {
      if (input.files.length) take(input.files);
      input.value = ""; // the same file may be chosen again
    });
    // Without these, the browser would leave the notebook and show the file.
    for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
      zone.addEventListener(kind, (event) => {
        event.preventDefault();
        event.stopPropagation();
        zone.classList.toggle("pixapi-over", kind === "dragenter" || kind === "dragover");
        if (kind === "drop") take(event.dataTransfer.files);
      });
    }
  },
};
