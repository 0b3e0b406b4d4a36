// Shows a widget where its placeholder stands in an output of this page.
//
// A saved widget view is dead without its kernel, so the notebook holds plain HTML only: an empty placeholder, and what
// stays. This model is never displayed itself: `initialize` runs in every page that meets it, also after a reload.
const PLACE = "pixapi-place-";
const STILL = "pixapi-still-";
const NAMELESS = ".noUi-handle, .widget-slider > .widget-readout[contenteditable=true], .widget-toggle-buttons > div";

export default {
  initialize({ model }) {
    const manager = model.widget_manager;
    const places = document.getElementsByClassName(PLACE + model.get("place")); // live
    const stills = document.getElementsByClassName(STILL + model.get("place"));
    const mounted = new Map();
    const emptied = new Map();
    const hiding = document.createElement("style"); // what stays is hidden while the widget itself is there
    hiding.textContent = `.${CSS.escape(STILL + model.get("place"))} { display: none !important; }`;

    async function child() {
      for (let tries = 0; tries < 300; tries += 1) {
        if (manager.has_model(model.get("view"))) return manager.get_model(model.get("view"));
        await new Promise((resolve) => setTimeout(resolve, 100)); // a reloaded page meets its models in any order
      }
      return null;
    }

    async function mount(place) {
      mounted.set(place, null);
      const widget = await child();
      if (!widget || widget.comm_live === false || !place.isConnected) return mounted.delete(place);
      const view = await manager.create_view(widget, {});
      if (!place.isConnected) return mounted.delete(place), view.remove();
      const lumino = view.luminoWidget ?? view.pWidget;
      lumino.constructor.attach(lumino, place); // Lumino's Widget.attach: the page's own copy, through its heirs
      mounted.set(place, view);
      widget.once("comm_live_update", unmount);
      document.head.append(hiding);
      empty();
      model.send({ event: "mounted" });
    }

    // Keys for a control are not for the notebook, where an arrow is the next cell and x cuts this one. The attribute is
    // Lumino's own; Notebook 7 listens while the event is still on its way down, so stopping it further down is too late.
    function keep(event) {
      const theirs = event.ctrlKey || event.metaKey || (event.shiftKey && event.key === "Enter");
      if (![...places].some((place) => place.contains(event.target))) return;
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !theirs); // on the target itself: Lumino looks there first
    }

    // Its pictures are in the notebook's model; this page need not hold them too.
    function empty() {
      for (const still of hiding.isConnected ? stills : []) {
        if (!still.hasChildNodes()) continue;
        emptied.set(still, [...still.childNodes]);
        still.replaceChildren();
      }
    }

    // ipywidgets ties no label to these, so a screen reader would not say what they are for; of a word, only its number.
    function nameParts(place) {
      for (const part of place.querySelectorAll(NAMELESS)) {
        const whole = part.closest(".widget-slider, .widget-toggle-buttons");
        const text = (name) => whole.querySelector(name)?.textContent ?? "";
        if (!part.role) part.setAttribute("role", part.isContentEditable ? "textbox" : "group");
        part.setAttribute("aria-label", text(".widget-label"));
        if (part.matches(".noUi-handle")) part.setAttribute("aria-valuetext", text(".widget-readout"));
      }
    }

    function look() {
      empty();
      for (const place of places) nameParts(place);
      for (const place of [...places]) if (!mounted.has(place)) mount(place).catch(() => mounted.delete(place));
    }

    // An update of a display is lost on a page that was reloaded: there, what stays is put into the document itself.
    function renew({ event, data }) {
      const cells = event === "still" ? (manager.context?.model?.cells ?? []) : [];
      for (const cell of cells) {
        for (let i = 0; i < (cell.outputs?.length ?? 0); i += 1) {
          const output = cell.outputs.get(i);
          if (String(output.data?.["text/html"]).includes(STILL + model.get("place"))) output.setData({ data });
        }
      }
    }

    function unmount() {
      observer.disconnect();
      window.removeEventListener("keydown", keep, true);
      hiding.remove();
      for (const [still, nodes] of emptied) still.replaceChildren(...nodes);
      for (const view of mounted.values()) view?.remove();
    }

    model.on("msg:custom", renew);
    if (model.get("rest")) {
      model.send({ event: "mounted" }); // it was over before this page came, which may still have what stood there before
      return undefined;
    }
    const observer = new MutationObserver(look); // outputs come late, and windowing takes cells away and brings them back
    observer.observe(document.body, { childList: true, subtree: true });
    model.on("change:rest", unmount);
    window.addEventListener("keydown", keep, true);
    look();
    return unmount;
  },
};
