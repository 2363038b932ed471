"""Compiled blocks: one flat, resumable numba function per kind of block, mirroring ``sim/blocks``.

A kernel takes its node's state (see :mod:`fuseflow.sim.kernels.layout`), its input streams, its output streams and
its data. It works until an input is exhausted (``STARVED``), an output is full (``FULL``), a growable array is full
(``GROW``), its streams do not fit together (``MISFIT``) or it has sent its done token (``FINISHED``), and leaves
everything it needs to go on in the state. Where it stops never changes what it computes.
"""
