"""Wrong bodies of `AdditiveAttention.forward`."""


def without_tanh(self, h, keys, values):
    """The tanh is missing; then the state adds the same to all scores of a caption and the softmax cancels it."""
    both = self.query(h).unsqueeze(2) + keys.unsqueeze(1)
    alpha = self.score(both).squeeze(3).softmax(dim=2)
    return alpha @ values, alpha


def over_the_captions(self, h, keys, values):
    """The softmax runs over the captions; the weights of a caption's grid points must sum to 1."""
    both = torch.tanh(self.query(h).unsqueeze(2) + keys.unsqueeze(1))
    alpha = self.score(both).squeeze(3).softmax(dim=1)
    return alpha @ values, alpha


def projected_twice(self, h, keys, values):
    """The keys are projected again; they are projected already when they come in."""
    both = torch.tanh(self.query(h).unsqueeze(2) + self.key(keys).unsqueeze(1))
    alpha = self.score(both).squeeze(3).softmax(dim=2)
    return alpha @ values, alpha


def state_not_projected(self, h, keys, values):
    """The hidden state is added to the keys without its projection; W_h is never trained."""
    both = torch.tanh(h.unsqueeze(2) + keys.unsqueeze(1))
    alpha = self.score(both).squeeze(3).softmax(dim=2)
    return alpha @ values, alpha


def sums_the_keys(self, h, keys, values):
    """The context is made of the keys; they say where to look, the values what is there."""
    both = torch.tanh(self.query(h).unsqueeze(2) + keys.unsqueeze(1))
    alpha = self.score(both).squeeze(3).softmax(dim=2)
    return alpha @ keys, alpha
