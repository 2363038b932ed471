"""Two-step paths of DBLP's twin by the steepness of its degree law: ``python -m benchmarks.twin_paths``.

Full fusion of a graph network scans the features of every two-step path, so DBLP's published cycles over 1,640 are
their number: 2,188,626.
"""

import sys

import numpy as np

from fuseflow.datasets import altered_twin

EXPONENTS = (0.0, 0.2, 0.42, 0.5, 0.55, 0.574, 0.62)


def main() -> int:
    """Print a line per exponent."""
    for exponent in EXPONENTS:
        adjacency = altered_twin("dblp", exponent=exponent).adjacency
        degrees = np.diff(adjacency.indptr)
        print(
            f"exponent {exponent:g}: {int(degrees[adjacency.indices].sum()):,} two-step paths, {adjacency.nnz:,} edges"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
