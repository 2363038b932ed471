"""The token core: compiled as the chunk core, but one token at a time, with everything that a channel can do.

The chunk core (``engine_run``) needs streams without limits and memory without a model; there it is several times
faster. This one has bounded streams, modelled memory, turn costs, histograms over time and single tokens.
"""
