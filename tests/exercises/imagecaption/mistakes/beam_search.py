"""Wrong bodies of `beam_search`."""


def state_stays(model, inputs, beam_size, max_words, length_penalty=0.0, no_repeat_ngram_size=0):
    """The state of the decoder does not follow its beam; words are then predicted from the past of another one."""
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)
    attention = features.new_empty(batch, 1, 0, features.shape[1])
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p
        score = (total / length.unsqueeze(2) ** length_penalty).flatten(1)
        best = score.topk(min(beam_size, score.shape[1])).indices
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams).unsqueeze(2)], dim=2)
        state = tuple(_select(part, torch.arange(best.shape[1]).expand_as(beams) % part.shape[1]) for part in state)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(history, log_p, attention)


def last_word_only(model, inputs, beam_size, max_words, length_penalty=0.0, no_repeat_ngram_size=0):
    """Extensions are ranked by their last word alone; what counts is the log-probability of the whole caption."""
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)
    attention = features.new_empty(batch, 1, 0, features.shape[1])
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)
        length = length + ((words != END) & (words != PAD))
        total = next_log_p + torch.zeros_like(log_p).unsqueeze(2)
        score = (total / length.unsqueeze(2) ** length_penalty).flatten(1)
        best = score.topk(min(beam_size, score.shape[1])).indices
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams).unsqueeze(2)], dim=2)
        state = tuple(_select(part, beams) for part in state)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(history, log_p, attention)


def length_ignored(model, inputs, beam_size, max_words, length_penalty=0.0, no_repeat_ngram_size=0):
    """The ranking does not depend on the length of each caption; every word costs, so short captions win."""
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)
    attention = features.new_empty(batch, 1, 0, features.shape[1])
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p
        score = total.flatten(1)
        best = score.topk(min(beam_size, score.shape[1])).indices
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams).unsqueeze(2)], dim=2)
        state = tuple(_select(part, beams) for part in state)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(history, log_p, attention)


def ends_with_the_first(model, inputs, beam_size, max_words, length_penalty=0.0, no_repeat_ngram_size=0):
    """The search ends when one beam is finished; the others are still being extended and may become better."""
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)
    attention = features.new_empty(batch, 1, 0, features.shape[1])
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p
        score = (total / length.unsqueeze(2) ** length_penalty).flatten(1)
        best = score.topk(min(beam_size, score.shape[1])).indices
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams).unsqueeze(2)], dim=2)
        state = tuple(_select(part, beams) for part in state)
        if bool(((words == END) | (words == PAD)).any()):
            break
    return _hypotheses(history, log_p, attention)


def attention_of_another_beam(model, inputs, beam_size, max_words, length_penalty=0.0, no_repeat_ngram_size=0):
    """Words follow their beam, the attention does not; the maps on the photo are those of another caption."""
    features, decoder, batch = model.features(inputs), model.decoder, len(inputs)
    memory = decoder.precompute(features)
    state = decoder.initial_state(memory, 1)
    words = torch.full((batch, 1), START, device=features.device)
    log_p = torch.zeros(batch, 1, device=features.device)
    length = torch.zeros_like(log_p)
    history = words.new_empty(batch, 1, 0)
    attention = features.new_empty(batch, 1, 0, features.shape[1])
    for _ in range(max_words):
        output, alpha, state = decoder.step(memory, state, words)
        next_log_p = _next_log_p(decoder.output_layer(output), history, words, no_repeat_ngram_size)
        length = length + ((words != END) & (words != PAD))
        total = log_p.unsqueeze(2) + next_log_p
        score = (total / length.unsqueeze(2) ** length_penalty).flatten(1)
        best = score.topk(min(beam_size, score.shape[1])).indices
        beams, words = best // next_log_p.shape[2], best % next_log_p.shape[2]
        log_p = total.flatten(1).gather(1, best)
        length = length.gather(1, beams)
        history = torch.cat([_select(history, beams), words.unsqueeze(2)], dim=2)
        attention = torch.cat([_select(attention, beams), _select(alpha, beams * 0).unsqueeze(2)], dim=2)
        state = tuple(_select(part, beams) for part in state)
        if bool(((words == END) | (words == PAD)).all()):
            break
    return _hypotheses(history, log_p, attention)
