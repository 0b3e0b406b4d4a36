// What a test asks of the open notebook, in JupyterLab's own words (`--expose-app-in-browser` gives window.jupyterapp).
// Injected into every page before JupyterLab's scripts run; everything returned is plain data.
window.harness = {
  running: 0, // run commands that have not come back yet

  panel() {
    const shell = window.jupyterapp?.shell;
    if (!shell?.widgets) return null;
    for (const area of [...shell.widgets("main")]) if (area.sessionContext && area.content?.widgets) return area;
    return null;
  },

  kernel() {
    return this.panel()?.sessionContext.session?.kernel ?? null;
  },

  // The ipywidgets manager of the notebook: every widget-view renderer holds it, and it is reachable in no other way.
  async manager() {
    const rendermime = this.panel().content.rendermime;
    const mime = "application/vnd.jupyter.widget-view+json";
    if (!rendermime.mimeTypes.includes(mime)) return null;
    const renderer = rendermime.createRenderer(mime);
    const manager = await this.soon(renderer._manager?.promise);
    manager?.restored.disconnect(renderer._rerender, renderer);
    renderer.dispose();
    return manager;
  },

  // The value of a promise, or null if it takes longer than a blink.
  soon(promise) {
    return Promise.race([promise ?? null, new Promise((resolve) => setTimeout(resolve, 500, null))]);
  },

  // Null when a click would be as good as a person's; otherwise what is still missing.
  async missing(needsKernel) {
    const app = window.jupyterapp;
    if (!app) return "the application";
    const panel = this.panel();
    if (!panel) return "the notebook";
    const session = panel.sessionContext;
    if (!panel.context.isReady || !panel.isRevealed) return "the notebook's contents";
    if (!session.isReady) return "the session";
    if (this.cells().some((cell) => cell.isPlaceholder())) return "the cells";
    if ([...document.querySelectorAll(".jp-OutputArea img")].some((image) => !image.complete)) return "the pictures";
    if (!needsKernel) return null;
    const kernel = session.session?.kernel;
    if (!kernel) return "a kernel";
    if (kernel.connectionStatus !== "connected") return `the kernel's connection (${kernel.connectionStatus})`;
    if (session.hasNoKernel) return "the kernel's name"; // Run would ask for a kernel
    if (["unknown", "starting", "restarting", "autorestarting"].includes(kernel.status)) return `the kernel (${kernel.status})`;
    if (!(await this.soon(kernel.info))) return "the kernel's answer";
    if (app.hasPlugin("@jupyter-widgets/jupyterlab-manager:plugin")) {
      if (!(await this.manager())?.restoredStatus) return "the widget manager";
      this.restored ??= performance.now();
      const loading = this.cells().some((cell) => cell.outputArea.node.innerText.includes("Loading widget"));
      if (loading && performance.now() < this.restored + 5000) return "the widgets"; // then they never come
    }
    return null;
  },

  command(name, args) {
    return window.jupyterapp.commands.execute(name, args).then(() => null);
  },

  run(name) {
    this.running += 1;
    const done = () => (this.running -= 1);
    window.jupyterapp.commands.execute(name).then(done, done);
  },

  async runCell(index) {
    const notebook = this.panel().content;
    notebook.deselectAll();
    notebook.activeCellIndex = notebook.widgets.indexOf(this.cell(index));
    this.run("notebook:run-cell");
  },

  cells() {
    return this.panel().content.widgets.filter((cell) => cell.model.type === "code");
  },

  count() {
    return this.cells().length;
  },

  // Code cells only, counted from 0; -1 is the last.
  cell(index) {
    return this.cells().at(index);
  },

  state(index) {
    const { model } = this.cell(index);
    return { state: model.executionState, count: model.executionCount, outputs: model.outputs.toJSON(), source: model.sharedModel.source };
  },

  idle() {
    const panel = this.panel();
    if (!panel || this.running) return false;
    if (this.kernel()?.status !== "idle") return false;
    return this.cells().every((cell) => cell.model.executionState === "idle");
  },

  async models() {
    return (await this.manager())?._modelsSync.size ?? null;
  },

  // What a person sees under one cell.
  seen(index) {
    const area = this.cell(index).outputArea.node;
    const shown = (node) => node.getClientRects().length > 0;
    const bar = (node) => {
      if (node.matches("progress")) return node.hasAttribute("value") ? (100 * node.value) / node.max : null;
      if (node.matches(".widget-hprogress")) return parseFloat(node.querySelector(".progress-bar").style.width);
      if (node.matches(".widget-vprogress")) return parseFloat(node.querySelector(".progress-bar").style.height);
      return node.hasAttribute("aria-valuenow") ? parseFloat(node.getAttribute("aria-valuenow")) : null;
    };
    const all = (selector) => [...area.querySelectorAll(selector)];
    return {
      text: all(":scope > .jp-OutputArea-child > .jp-OutputArea-output").map((output) => output.innerText).join("\n"),
      images: all("img").map((i) => [i.naturalWidth, i.naturalHeight, i.alt]),
      videos: all("video").map((v) => [v.readyState, v.videoWidth, v.duration || 0]),
      bars: all("progress, .widget-hprogress, .widget-vprogress, [role=progressbar]").filter(shown).map(bar),
      buttons: all("button").filter(shown).map((b) => b.innerText.trim() || b.title).filter(Boolean),
    };
  },
};
