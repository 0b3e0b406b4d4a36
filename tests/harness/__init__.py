"""What the tests share: real kernels, a real JupyterLab in a real browser, a real terminal, a real server, and no sleeping.

============  ===============================================================================
`lab`         `Lab`: one JupyterLab and one Chromium for all tests; `open` gives a notebook
`notebook`    `Notebook` and `Cell`, as a person has them
`controls`    the ipywidgets under a cell
`kernels`     `Kernel`, a kernel without a front end; notebooks run by nbclient and papermill
`messages`    what a kernel says, as `Run` and `Output`
`terminal`    `Terminal`: IPython in a terminal
`pixapi`      `PixapiServer`: the embedded Pixapi with its back door open
`canary`      looking for a secret
`waiting`     `until`, the only way to let time pass
============  ===============================================================================

The fixtures are in `tests/conftest.py`. It imports this package's modules when they are needed: some are slow to load.
"""
