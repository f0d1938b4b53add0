"""Wrong bodies of `integrated_gradients`."""


def gradient_times_input(network, tokens):
    """The gradient is taken at the text alone instead of along the way from padding to it."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    kept = []
    handle = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    logits = network(tokens, torch.ones_like(tokens, dtype=torch.bool))[0]
    handle.remove()
    gradient = torch.autograd.grad(logits.max(), kept[0])[0]
    return (gradient * (kept[0] - layer(torch.full_like(tokens, PAD)))).sum(dim=2).detach()


def always_the_last_class(network, tokens):
    """The logit of the last class is explained, whatever the prediction is."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    mask = torch.ones_like(tokens, dtype=torch.bool)
    gradients = LayerIntegratedGradients(lambda ids: network(ids, mask.expand(len(ids), -1))[:, -1], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, PAD), n_steps=STEPS)
    return values.sum(dim=2).detach()


def from_the_unknown_word(network, tokens):
    """The way begins at the unknown word instead of padding."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    predicted = int(network(tokens).argmax())
    mask = torch.ones_like(tokens, dtype=torch.bool)
    gradients = LayerIntegratedGradients(lambda ids: network(ids, mask.expand(len(ids), -1))[:, predicted], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, UNKNOWN), n_steps=STEPS)
    return values.sum(dim=2).detach()


def without_signs(network, tokens):
    """The length of the attribution vector has no sign; sum its numbers, so that words against the prediction show."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    predicted = int(network(tokens).argmax())
    mask = torch.ones_like(tokens, dtype=torch.bool)
    gradients = LayerIntegratedGradients(lambda ids: network(ids, mask.expand(len(ids), -1))[:, predicted], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, PAD), n_steps=STEPS)
    return values.norm(dim=2).detach()


def without_a_mask(network, tokens):
    """The network makes its own mask, in which the baseline is a text without words."""
    encoder = network.encoder
    layer = encoder.network.get_input_embeddings() if isinstance(encoder, Transformer) else encoder.embedding
    predicted = int(network(tokens).argmax())
    gradients = LayerIntegratedGradients(lambda ids: network(ids)[:, predicted], layer)
    values = gradients.attribute(tokens, baselines=torch.full_like(tokens, PAD), n_steps=STEPS)
    return values.sum(dim=2).detach()
