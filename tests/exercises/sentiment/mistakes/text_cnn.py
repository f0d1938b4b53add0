"""Wrong bodies of `CNN.forward`."""


def padding_answers(self, tokens, mask):
    """Positions where a filter sees only padding take part in the maximum; their response is the bias."""
    embedded = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)
    pooled = []
    for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
        pooled.append(convolution(F.pad(embedded, (width - 1, width - 1))).relu().amax(dim=2))
    return torch.cat(pooled, dim=1)


def padding_has_words(self, tokens, mask):
    """The word vector of padding is not set to 0, and filters at the end of the text respond to it."""
    embedded = self.dropout(self.embedding(tokens)).transpose(1, 2)
    pooled = []
    for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
        margin = width - 1
        feature_map = convolution(F.pad(embedded, (margin, margin))).relu()
        position = torch.arange(feature_map.shape[2], device=tokens.device)
        inside = position < mask.sum(dim=1, keepdim=True) + margin
        pooled.append((feature_map * inside.unsqueeze(1)).amax(dim=2))
    return torch.cat(pooled, dim=1)


def one_side_only(self, tokens, mask):
    """Zeros are added at the end alone, so that no filter can begin before the first word."""
    embedded = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)
    pooled = []
    for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
        feature_map = convolution(F.pad(embedded, (0, width - 1))).relu()
        inside = torch.arange(feature_map.shape[2], device=tokens.device) < mask.sum(dim=1, keepdim=True)
        pooled.append((feature_map * inside.unsqueeze(1)).amax(dim=2))
    return torch.cat(pooled, dim=1)


def mean_over_time(self, tokens, mask):
    """The mean over the positions is taken instead of the maximum; a single telling phrase is lost in a long text."""
    embedded = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)
    pooled = []
    for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
        margin = width - 1
        feature_map = convolution(F.pad(embedded, (margin, margin))).relu()
        positions = mask.sum(dim=1, keepdim=True) + margin
        inside = torch.arange(feature_map.shape[2], device=tokens.device) < positions
        pooled.append((feature_map * inside.unsqueeze(1)).sum(dim=2) / positions)
    return torch.cat(pooled, dim=1)


def without_relu(self, tokens, mask):
    """The ReLU is missing: responses below zero stay, and padding, which has 0, is larger than they are."""
    embedded = self.dropout(self.embedding(tokens)).transpose(1, 2) * mask.unsqueeze(1)
    pooled = []
    for convolution, width in zip(self.convolutions, FILTER_WIDTHS):
        margin = width - 1
        feature_map = convolution(F.pad(embedded, (margin, margin)))
        inside = torch.arange(feature_map.shape[2], device=tokens.device) < mask.sum(dim=1, keepdim=True) + margin
        pooled.append((feature_map * inside.unsqueeze(1)).amax(dim=2))
    return torch.cat(pooled, dim=1)
