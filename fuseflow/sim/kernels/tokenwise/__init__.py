"""The kernels of the token core: blocks as decisions, and one executor for all that touches a channel or a clock.

A block is a function ``decide(m, s, e)``: it looks at the tokens that the executor has read for the unit at ``s``,
changes the unit's registers, and writes the operations of the turn (PEEK, TAKE, SEND, TICK, ...) from ``e`` on, the
reads of its next decision last. It returns the place behind them, ``MISFIT`` after :func:`ops.fault`, or ``CALL`` if
the host must first empty or enlarge a buffer. It never waits: waiting, credits, stamps, clocks, histograms and memory
are the executor's, so the rules of channels (simulator §1.2) stand once.

The order of operations of every block is that of its process in ``sim/blocks``, which credits make visible.
"""
