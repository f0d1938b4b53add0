"""Wrong bodies of `head_and_tail`."""


def beginning_only(items, count):
    """Only the beginning is kept; the verdict at the end of a review is lost."""
    return items[:count]


def quarter_of_the_text(items, count):
    """The beginning is a quarter of the text instead of a quarter of the allowed tokens."""
    head = min(len(items) // 4, count)
    return items if len(items) <= count else items[:head] + items[len(items) - (count - head) :]


def always_cut(items, count):
    """Texts that fit are cut and joined too, which repeats some of their tokens."""
    head = count // 4
    return items[:head] + items[-(count - head) :]


def rounded_twice(items, count):
    """Both parts are rounded down, so that fewer tokens are kept than allowed; the end must take the rest."""
    if len(items) <= count:
        return items
    head, tail = int(0.25 * count), int(0.75 * count)
    return items[:head] + items[len(items) - tail :]


def half_and_half(items, count):
    """Half of the tokens is from the beginning; it should be a quarter, because the end tells more."""
    head = count // 2
    return items if len(items) <= count else items[:head] + items[len(items) - (count - head) :]
