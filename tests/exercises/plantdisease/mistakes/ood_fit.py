"""Wrong bodies of `OutOfDistribution.fit`."""


def total_covariance(cls, activations, labels, classes):
    """The covariance is around the mean of all photos; the distance between classes then counts as usual spread."""
    ood_score = cls(classes, activations.shape[1])
    for label in range(classes):
        ood_score.centres[label] = activations[labels == label].mean(dim=0)
    within = activations - activations.mean(dim=0)
    covariance = within.T @ within / len(within)
    ridge = 0.02 * covariance.diagonal().mean() * torch.eye(len(covariance))
    ood_score.precision = torch.linalg.inv(covariance + ridge)
    ood_score.threshold = torch.tensor(1.0)
    return ood_score


def not_inverted(cls, activations, labels, classes):
    """The covariance is used where its inverse belongs; directions that vary much then count most."""
    ood_score = cls(classes, activations.shape[1])
    for label in range(classes):
        ood_score.centres[label] = activations[labels == label].mean(dim=0)
    within = activations - ood_score.centres[labels]
    covariance = within.T @ within / len(within)
    ood_score.precision = covariance + 0.02 * covariance.diagonal().mean() * torch.eye(len(covariance))
    ood_score.threshold = torch.tensor(1.0)
    return ood_score


def no_ridge(cls, activations, labels, classes):
    """Nothing is added to the diagonal; with fewer photos than activations the covariance has no inverse."""
    ood_score = cls(classes, activations.shape[1])
    for label in range(classes):
        ood_score.centres[label] = activations[labels == label].mean(dim=0)
    within = activations - ood_score.centres[labels]
    ood_score.precision = torch.linalg.inv(within.T @ within / len(within))
    ood_score.threshold = torch.tensor(1.0)
    return ood_score


def absolute_ridge(cls, activations, labels, classes):
    """A fixed .02 is added to the diagonal; beside small activations that is all there is, beside large ones nothing."""
    ood_score = cls(classes, activations.shape[1])
    for label in range(classes):
        ood_score.centres[label] = activations[labels == label].mean(dim=0)
    within = activations - ood_score.centres[labels]
    covariance = within.T @ within / len(within)
    ood_score.precision = torch.linalg.inv(covariance + 0.02 * torch.eye(len(covariance)))
    ood_score.threshold = torch.tensor(1.0)
    return ood_score


def only_the_diagonal(cls, activations, labels, classes):
    """Only the variance of each activation is used; activations that vary together then count several times."""
    ood_score = cls(classes, activations.shape[1])
    for label in range(classes):
        ood_score.centres[label] = activations[labels == label].mean(dim=0)
    variance = (activations - ood_score.centres[labels]).square().mean(dim=0)
    ood_score.precision = torch.diag(1 / (variance + 0.02 * variance.mean()))
    ood_score.threshold = torch.tensor(1.0)
    return ood_score
