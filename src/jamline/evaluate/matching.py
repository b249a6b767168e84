"""Pairing found with true vehicles, one to one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import optimize, sparse, spatial

Array = npt.NDArray[np.float64]
Pairs = npt.NDArray[np.int64]


def match_vehicles(found_xy_m: Array, truth_xy_m: Array, radius_m: npt.ArrayLike) -> Pairs:
    """Pair found with true vehicles, each at most once.

    Parameters
    ----------
    found_xy_m : array, shape (n, d)
        Centres in metres, in any Cartesian frame of two or three axes.
    truth_xy_m : array, shape (m, d)
        The same of the true vehicles.
    radius_m : float or array, shape (m,)
        Farthest partner of each true vehicle.

    Returns
    -------
    array of int, shape (k, 2)
        Indices into found and truth, in order of found: as many pairs as there can be, and of all ways to
        have so many the one with the least distance in sum.

    Examples
    --------
    >>> import numpy as np
    >>> match_vehicles(np.array([[0.0, 0.0], [9.0, 0.0]]), np.array([[1.0, 0.0]]), 2.5)
    array([[0, 0]])
    """
    found, truth = np.asarray(found_xy_m, float), np.asarray(truth_xy_m, float)
    radius = np.broadcast_to(np.asarray(radius_m, float), (len(truth),))
    if not len(found) or not len(truth):
        return np.zeros((0, 2), dtype=np.int64)
    near = spatial.cKDTree(found).query_ball_point(truth, radius)
    i = np.array([f for group in near for f in group], dtype=np.int64)
    j = np.repeat(np.arange(len(truth)), [len(group) for group in near])
    distance = np.linalg.norm(found[i] - truth[j], axis=1)
    # Vehicles that share no candidate do not compete: each group is solved on its own, a jam has thousands.
    graph = sparse.coo_array((np.ones(len(i)), (i, len(found) + j)), shape=(len(found) + len(truth),) * 2)
    _, label = sparse.csgraph.connected_components(graph, directed=False)
    order = np.argsort(label[i], kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(label[i][order])) + 1)
    pairs = np.concatenate([_assigned(i[edges], j[edges], distance[edges]) for edges in groups])
    return pairs[np.argsort(pairs[:, 0], kind="stable")]


def _assigned(i: Pairs, j: Pairs, distance: Array) -> Pairs:
    """Solve one group of edges from found ``i`` to truth ``j``."""
    rows, row = np.unique(i, return_inverse=True)
    columns, column = np.unique(j, return_inverse=True)
    # One more pair is worth more than any distances, so their number comes first.
    bonus = distance.max(initial=0.0) * min(len(rows), len(columns)) + 1.0
    cost = np.zeros((len(rows), len(columns)))
    cost[row, column] = distance - bonus
    a, b = optimize.linear_sum_assignment(cost)
    real = cost[a, b] < 0
    return np.column_stack([rows[a[real]], columns[b[real]]]).astype(np.int64)
