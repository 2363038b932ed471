"""The Jupyter workbench for fuseflow, on ipywidgets and anywidget. Depends on ``fuseflow``, never the reverse."""

__version__ = "0.1.0"
