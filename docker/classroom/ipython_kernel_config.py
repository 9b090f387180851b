"""Every learner's kernels: their cells wait for their turn."""

c = get_config()  # noqa: F821  (IPython's)
c.InteractiveShellApp.extensions = ["helpers.classroom.turns"]
