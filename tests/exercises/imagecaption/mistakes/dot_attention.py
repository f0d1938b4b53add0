"""Wrong bodies of `DotAttention.forward`."""


def without_root(self, h, keys, values):
    """The scores are not divided by the square root of a head's width; the softmax saturates."""
    q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))
    alpha = (q @ k.transpose(2, 3)).softmax(dim=3)
    return merge_heads(alpha @ v), alpha.mean(dim=1)


def root_of_all_heads(self, h, keys, values):
    """The scores are divided by the root of the whole width D; a head compares D / H numbers."""
    q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))
    alpha = (q @ k.transpose(2, 3) / math.sqrt(h.shape[2])).softmax(dim=3)
    return merge_heads(alpha @ v), alpha.mean(dim=1)


def over_the_captions(self, h, keys, values):
    """The softmax runs over the captions; the weights of a caption's grid points must sum to 1."""
    q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))
    alpha = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=2)
    return merge_heads(alpha @ v), alpha.mean(dim=1)


def first_head_only(self, h, keys, values):
    """The weights that are returned are those of the first head instead of the mean over all heads."""
    q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))
    alpha = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=3)
    return merge_heads(alpha @ v), alpha[:, 0]


def heads_mixed_up(self, h, keys, values):
    """The heads are flattened without moving them back behind the words; captions then exchange their numbers."""
    q, k, v = (split_heads(x, self.num_heads) for x in (self.query(h), keys, values))
    alpha = (q @ k.transpose(2, 3) / math.sqrt(q.shape[3])).softmax(dim=3)
    return (alpha @ v).reshape(h.shape), alpha.mean(dim=1)
