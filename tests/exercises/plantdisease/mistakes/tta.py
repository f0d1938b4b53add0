"""Wrong bodies of `TestTimeAugmentation.forward`."""


def mean_of_logits(self, images):
    """Logits are averaged; a view with large logits then outvotes the others, so average probabilities."""
    turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
    views = (turned + [view.flip(3) for view in turned])[: self.count]
    return torch.stack([self.network(view) for view in views]).mean(0)


def mean_of_log_probabilities(self, images):
    """Log-probabilities are averaged; that is a geometric mean, which one very unsure view pulls to 0."""
    if self.count == 1:
        return self.network(images)
    turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
    views = (turned + [view.flip(3) for view in turned])[: self.count]
    return torch.stack([self.network(view).log_softmax(1) for view in views]).mean(0)


def log_of_a_softmax(self, images):
    """The logarithm is taken of probabilities that may be rounded to 0; use log-softmax and logsumexp instead."""
    if self.count == 1:
        return self.network(images)
    turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
    views = (turned + [view.flip(3) for view in turned])[: self.count]
    return torch.stack([self.network(view).softmax(1) for view in views]).mean(0).log()


def sum_of_views(self, images):
    """Probabilities are added up and not divided by the number of views; they do not sum to one."""
    if self.count == 1:
        return self.network(images)
    turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
    views = (turned + [view.flip(3) for view in turned])[: self.count]
    return torch.stack([self.network(view).log_softmax(1) for view in views]).logsumexp(0)


def flips_in_two_directions(self, images):
    """The mirror images are those of two axes; mirrored twice is turned by half, so some views are there twice."""
    if self.count == 1:
        return self.network(images)
    turned = [torch.rot90(images, quarter, (2, 3)) for quarter in range(4)]
    flipped = [view.flip(axis) for axis in (2, 3) for view in (images, images.flip(2, 3))]
    views = (turned + flipped)[: self.count]
    scores = torch.stack([self.network(view).log_softmax(1) for view in views])
    return scores.logsumexp(0) - math.log(self.count)
