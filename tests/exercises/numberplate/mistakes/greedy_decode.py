"""Wrong bodies of `greedy_decode`."""


def blanks_first(logits):
    """Blanks are removed before repeats are merged; double characters, which a blank separates, become one."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        kept = [(symbol, probability) for symbol, probability in zip(steps, probabilities) if symbol]
        text, confidences, last = "", [], 0
        for symbol, probability in kept:
            if symbol != last:
                text += CHARACTERS[symbol - 1]
                confidences.append(probability)
            else:
                confidences[-1] = max(confidences[-1], probability)
            last = symbol
        readings.append(Reading(text, tuple(confidences)))
    return readings


def not_merged(logits):
    """Repeats are not merged; a character that spans three steps is written three times."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        kept = [(symbol, probability) for symbol, probability in zip(steps, probabilities) if symbol]
        text = "".join(CHARACTERS[symbol - 1] for symbol, _ in kept)
        readings.append(Reading(text, tuple(probability for _, probability in kept)))
    return readings


def without_the_blank(logits):
    """Symbol s is taken for character s, as if there were no blank; symbol 1 is the first character."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        text, confidences, last = "", [], 0
        for symbol, probability in zip(steps, probabilities):
            if symbol and symbol != last:
                text += CHARACTERS[symbol % len(CHARACTERS)]
                confidences.append(probability)
            elif symbol:
                confidences[-1] = max(confidences[-1], probability)
            last = symbol
        readings.append(Reading(text, tuple(confidences)))
    return readings


def goes_on_in_the_next(logits):
    """The last symbol is not forgotten between plates; one that ends with A swallows an A at the start of the next."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)
    readings, last = [], 0
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        text, confidences = "", []
        for symbol, probability in zip(steps, probabilities):
            if symbol and symbol != last:
                text += CHARACTERS[symbol - 1]
                confidences.append(probability)
            elif symbol and confidences:
                confidences[-1] = max(confidences[-1], probability)
            last = symbol
        readings.append(Reading(text, tuple(confidences)))
    return readings


def confidence_of_the_first_step(logits):
    """A character has the confidence of its first step, where it is often still uncertain; it must be the largest."""
    maxima, symbols = logits.float().softmax(dim=2).max(dim=2)
    readings = []
    for steps, probabilities in zip(symbols.T.tolist(), maxima.T.tolist()):
        text, confidences, last = "", [], 0
        for symbol, probability in zip(steps, probabilities):
            if symbol and symbol != last:
                text += CHARACTERS[symbol - 1]
                confidences.append(probability)
            last = symbol
        readings.append(Reading(text, tuple(confidences)))
    return readings
