"""Wrong bodies of `joined`."""


def both_must_agree(first, second):
    """Photos are together only where both numbers are equal; one equal number is enough for a link."""
    return np.unique(np.stack([first, second]), axis=1, return_inverse=True)[1].reshape(-1)


def one_step(first, second):
    """Links are followed for one step only; a chain of three photos falls apart, and its ends can be in two sets."""
    lowest = np.array([np.flatnonzero(first == number)[0] for number in first])
    return np.array([lowest[second == number].min() for number in second])


def numbers_collide(first, second):
    """The numbers of the two groupings are taken for the same nodes; leaf 3 and copy 3 are then linked by chance."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = int(max(first.max(), second.max())) + 1
    graph = coo_array((np.ones(len(first), bool), (first, second)), shape=[nodes, nodes])
    return connected_components(graph, directed=False)[1][first]


def numbers_of_nodes(first, second):
    """It returns the numbers of all nodes of the graph; only those of the photos, in their order, are asked for."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes = int(first.max()) + 1
    graph = coo_array((np.ones(len(first), bool), (first, nodes + second)), shape=[nodes + int(second.max()) + 1] * 2)
    return connected_components(graph, directed=False)[1]
