"""Wrong bodies of `proportion_interval`."""


def normal(successes, n, z):
    """This is the textbook interval around the share; it has no width for 0 of 10 and leaves 0..1 elsewhere."""
    if n == 0:
        return 0.0, 1.0
    share = successes / n
    half = z * (share * (1 - share) / n) ** 0.5
    return max(0.0, share - half), min(1.0, share + half)


def not_drawn_to_the_middle(successes, n, z):
    """The half width is Wilson's, but it is put around the share; the middle must be drawn towards one half."""
    if n == 0:
        return 0.0, 1.0
    share, extra = successes / n, z * z / n
    half = z * ((share * (1 - share) + extra / 4) / n) ** 0.5 / (1 + extra)
    return max(0.0, share - half), min(1.0, share + half)


def fixed_z(successes, n, z):
    """The argument z is not used; the width is always that of 95 %."""
    z = 1.96
    if n == 0:
        return 0.0, 1.0
    share, extra = successes / n, z * z / n
    middle = (share + extra / 2) / (1 + extra)
    half = z * ((share * (1 - share) + extra / 4) / n) ** 0.5 / (1 + extra)
    return max(0.0, middle - half), min(1.0, middle + half)
