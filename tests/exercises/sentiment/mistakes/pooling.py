"""Wrong bodies of `Pooling.forward`."""


def padding_is_zero(self, states, mask):
    """Padding has the value 0 in the maximum, so that a text whose states are all negative has the maximum 0."""
    mask = mask.unsqueeze(2)
    if self.kind == "max":
        return (states * mask).amax(dim=1)
    if self.score is None:
        return (states * mask).sum(dim=1) / mask.sum(dim=1)
    weights = self.score(states).masked_fill(~mask, float("-inf")).softmax(dim=1)
    return (states * weights).sum(dim=1)


def mean_over_the_padded_length(self, states, mask):
    """The sum is divided by the padded length instead of the number of tokens of each text."""
    mask = mask.unsqueeze(2)
    if self.kind == "max":
        return states.masked_fill(~mask, float("-inf")).amax(dim=1)
    if self.score is None:
        return (states * mask).mean(dim=1)
    weights = self.score(states).masked_fill(~mask, float("-inf")).softmax(dim=1)
    return (states * weights).sum(dim=1)


def attention_to_padding(self, states, mask):
    """The softmax includes the padding, which takes a part of the attention; mask the scores before the softmax."""
    mask = mask.unsqueeze(2)
    if self.kind == "max":
        return states.masked_fill(~mask, float("-inf")).amax(dim=1)
    if self.score is None:
        return (states * mask).sum(dim=1) / mask.sum(dim=1)
    return (states * mask * self.score(states).softmax(dim=1)).sum(dim=1)


def softmax_of_one_number(self, states, mask):
    """The softmax is over the last dimension, which has one number: every token gets the weight 1."""
    mask = mask.unsqueeze(2)
    if self.kind == "max":
        return states.masked_fill(~mask, float("-inf")).amax(dim=1)
    if self.score is None:
        return (states * mask).sum(dim=1) / mask.sum(dim=1)
    weights = self.score(states).softmax(dim=2)
    return (states * weights * mask).sum(dim=1)
