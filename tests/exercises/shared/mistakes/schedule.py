"""Wrong bodies of `build_schedule`."""


def warmup_from_zero(optimizer, config, steps):
    """The warm-up begins at 0, so that the first step changes nothing; it must begin at 1 / warmup."""
    warmup = max(1, round(steps * (0.3 if config.schedule == "one-cycle" else config.warmup)))

    def factor(step):
        if config.schedule != "constant" and step < warmup:
            return step / warmup
        done = (step - warmup) / max(1, steps - warmup)
        if config.schedule in ("cosine", "one-cycle"):
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if config.schedule == "step":
            return 1.0 if step < 0.6 * steps else 0.1 if step < 0.85 * steps else 0.01
        return 1.0

    return LambdaLR(optimizer, factor)


def whole_cosine(optimizer, config, steps):
    """The cosine runs over a whole period; the rate is back at its peak when training ends."""
    warmup = max(1, round(steps * (0.3 if config.schedule == "one-cycle" else config.warmup)))

    def factor(step):
        if config.schedule != "constant" and step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        if config.schedule in ("cosine", "one-cycle"):
            return 0.5 * (1 + math.cos(2 * math.pi * min(1.0, done)))
        if config.schedule == "step":
            return 1.0 if step < 0.6 * steps else 0.1 if step < 0.85 * steps else 0.01
        return 1.0

    return LambdaLR(optimizer, factor)


def from_the_first_step(optimizer, config, steps):
    """The cosine is counted from the first step instead of the end of the warm-up; the rate jumps there."""
    warmup = max(1, round(steps * (0.3 if config.schedule == "one-cycle" else config.warmup)))

    def factor(step):
        if config.schedule != "constant" and step < warmup:
            return (step + 1) / warmup
        if config.schedule in ("cosine", "one-cycle"):
            return 0.5 * (1 + math.cos(math.pi * min(1.0, step / steps)))
        if config.schedule == "step":
            return 1.0 if step < 0.6 * steps else 0.1 if step < 0.85 * steps else 0.01
        return 1.0

    return LambdaLR(optimizer, factor)


def warms_constant(optimizer, config, steps):
    """A constant rate is warmed up, too; whoever asks for a constant one wants no other."""
    warmup = max(1, round(steps * (0.3 if config.schedule == "one-cycle" else config.warmup)))

    def factor(step):
        if step < warmup:
            return (step + 1) / warmup
        done = (step - warmup) / max(1, steps - warmup)
        if config.schedule in ("cosine", "one-cycle"):
            return 0.5 * (1 + math.cos(math.pi * min(1.0, done)))
        if config.schedule == "step":
            return 1.0 if step < 0.6 * steps else 0.1 if step < 0.85 * steps else 0.01
        return 1.0

    return LambdaLR(optimizer, factor)
