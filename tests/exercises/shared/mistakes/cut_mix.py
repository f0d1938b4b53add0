"""Wrong bodies of `cut_mix`."""


def side_is_not_rooted(x, seeds, probability):
    """The side is λ of the image instead of the root of its area; the cut-outs are too small."""
    generator = np.random.default_rng([int(seed) for seed in seeds[:2].tolist()])
    partners = torch.arange(len(x), device=x.device).roll(1)
    if generator.random() >= probability:
        return x, partners, 1.0
    size = x.shape[-1]
    side = round(size * generator.random())
    top, left = (int(v) for v in generator.integers(0, size - side + 1, 2))
    mixed = x.clone()
    mixed[:, :, top : top + side, left : left + side] = x[partners][:, :, top : top + side, left : left + side]
    return mixed, partners, 1 - (side / size) ** 2


def returns_the_cut_part(x, seeds, probability):
    """It returns the part of the partner; the loss then weighs the labels the wrong way round."""
    generator = np.random.default_rng([int(seed) for seed in seeds[:2].tolist()])
    partners = torch.arange(len(x), device=x.device).roll(1)
    if generator.random() >= probability:
        return x, partners, 1.0
    size = x.shape[-1]
    side = round(size * math.sqrt(generator.random()))
    top, left = (int(v) for v in generator.integers(0, size - side + 1, 2))
    mixed = x.clone()
    mixed[:, :, top : top + side, left : left + side] = x[partners][:, :, top : top + side, left : left + side]
    return mixed, partners, (side / size) ** 2


def blends(x, seeds, probability):
    """It blends whole images (Mixup) instead of cutting a square; no pixel is of one image alone."""
    generator = np.random.default_rng([int(seed) for seed in seeds[:2].tolist()])
    partners = torch.arange(len(x), device=x.device).roll(1)
    if generator.random() >= probability:
        return x, partners, 1.0
    own = generator.random()
    return own * x + (1 - own) * x[partners], partners, own


def writes_in_place(x, seeds, probability):
    """It writes into the batch that came in; later images take their square from neighbours that are changed already."""
    generator = np.random.default_rng([int(seed) for seed in seeds[:2].tolist()])
    partners = torch.arange(len(x), device=x.device).roll(1)
    if generator.random() >= probability:
        return x, partners, 1.0
    size = x.shape[-1]
    side = round(size * math.sqrt(generator.random()))
    top, left = (int(v) for v in generator.integers(0, size - side + 1, 2))
    if not x.is_contiguous():
        x = x.contiguous()
    for number in range(len(x)):
        x[number, :, top : top + side, left : left + side] = x[
            partners[number], :, top : top + side, left : left + side
        ]
    return x, partners, 1 - (side / size) ** 2
