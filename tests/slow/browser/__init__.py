"""The notebooks in JupyterLab in a real browser: ``make test-browser``.

``judge`` says what is wrong with what was seen, ``drive`` looks at it in a headless Chromium,
``bad`` holds small notebooks in which something is wrong. Screenshots are kept in
``work/browser/``.
"""
