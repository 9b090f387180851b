"""What runs things: the checks, JupyterLab, the doctor, the notebooks."""
