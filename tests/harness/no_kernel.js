// The switch that `--LabApp.notebook_starts_kernel=False` throws, for one page: it is in the page's configuration, which is changed
// here when the parser has read it and before JupyterLab has. (A page that a test serves itself may open no WebSocket to loopback.)
new MutationObserver((_, observer) => {
  const element = document.getElementById("jupyter-config-data");
  if (!element) return;
  element.textContent = JSON.stringify({ ...JSON.parse(element.textContent), notebookStartsKernel: "false" });
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
