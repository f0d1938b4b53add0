"""Wrong bodies of `Baselines.fit`."""


def weights_of_scaled_terms(cls, texts, labels, classes, min_count=2):
    """The weights belong to the scaled terms; multiply them by the ratio, because the table is used with 0 and 1."""
    vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, min_df=min_count)
    try:
        counts = csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    binary = csr_matrix(counts > 0, dtype=np.float64)
    bayes = np.empty((counts.shape[1] + 1, classes))
    for label in range(classes):
        inside = labels == label
        ratio = _smoothed(binary[inside]) - _smoothed(binary[~inside])
        model = LogisticRegression(C=1.0, max_iter=300).fit(binary @ diags(ratio), inside)
        bayes[:-1, label], bayes[-1, label] = model.coef_[0], model.intercept_[0]
    regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
    coef, bias = linear_weights(regression)
    return cls(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=torch.from_numpy(transformer.idf_).float(),
        tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
        bayes=torch.from_numpy(bayes).float(),
        majority=int(np.bincount(labels).argmax()),
    )


def counts_instead_of_occurrences(cls, texts, labels, classes, min_count=2):
    """Terms are counted in NB-LR, so that a word that is repeated in a text weighs more; it is 0 or 1."""
    vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, min_df=min_count)
    try:
        counts = csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    binary = csr_matrix(counts, dtype=np.float64)
    bayes = np.empty((counts.shape[1] + 1, classes))
    for label in range(classes):
        inside = labels == label
        ratio = _smoothed(binary[inside]) - _smoothed(binary[~inside])
        model = LogisticRegression(C=1.0, max_iter=300).fit(binary @ diags(ratio), inside)
        bayes[:-1, label], bayes[-1, label] = model.coef_[0] * ratio, model.intercept_[0]
    regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
    coef, bias = linear_weights(regression)
    return cls(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=torch.from_numpy(transformer.idf_).float(),
        tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
        bayes=torch.from_numpy(bayes).float(),
        majority=int(np.bincount(labels).argmax()),
    )


def ratio_of_counts(cls, texts, labels, classes, min_count=2):
    """The counts are not divided by their sum, so that the larger side (all other classes) shifts every ratio."""
    vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, min_df=min_count)
    try:
        counts = csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    binary = csr_matrix(counts > 0, dtype=np.float64)
    bayes = np.empty((counts.shape[1] + 1, classes))
    for label in range(classes):
        inside = labels == label
        ratio = np.log((np.asarray(binary[inside].sum(axis=0)) + 1) / (np.asarray(binary[~inside].sum(axis=0)) + 1))[0]
        model = LogisticRegression(C=1.0, max_iter=300).fit(binary @ diags(ratio), inside)
        bayes[:-1, label], bayes[-1, label] = model.coef_[0] * ratio, model.intercept_[0]
    regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
    coef, bias = linear_weights(regression)
    return cls(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=torch.from_numpy(transformer.idf_).float(),
        tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
        bayes=torch.from_numpy(bayes).float(),
        majority=int(np.bincount(labels).argmax()),
    )


def words_alone(cls, texts, labels, classes, min_count=2):
    """Pairs of words are missing; without them no linear model knows what 'not good' means."""
    vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=(1, 1), min_df=min_count)
    try:
        counts = csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    binary = csr_matrix(counts > 0, dtype=np.float64)
    bayes = np.empty((counts.shape[1] + 1, classes))
    for label in range(classes):
        inside = labels == label
        ratio = _smoothed(binary[inside]) - _smoothed(binary[~inside])
        model = LogisticRegression(C=1.0, max_iter=300).fit(binary @ diags(ratio), inside)
        bayes[:-1, label], bayes[-1, label] = model.coef_[0] * ratio, model.intercept_[0]
    regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
    coef, bias = linear_weights(regression)
    return cls(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=torch.from_numpy(transformer.idf_).float(),
        tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
        bayes=torch.from_numpy(bayes).float(),
        majority=int(np.bincount(labels).argmax()),
    )


def without_the_ratio(cls, texts, labels, classes, min_count=2):
    """The log-count ratio is not used: this is a logistic regression on plain terms."""
    vectorizer = CountVectorizer(token_pattern=WORDS, ngram_range=NGRAMS, min_df=min_count)
    try:
        counts = csr_matrix(vectorizer.fit_transform(texts))
    except ValueError:
        counts = csr_matrix(vectorizer.set_params(min_df=1).fit_transform(texts))
    transformer = TfidfTransformer(sublinear_tf=True).fit(counts)
    binary = csr_matrix(counts > 0, dtype=np.float64)
    bayes = np.empty((counts.shape[1] + 1, classes))
    for label in range(classes):
        inside = labels == label
        model = LogisticRegression(C=1.0, max_iter=300).fit(binary, inside)
        bayes[:-1, label], bayes[-1, label] = model.coef_[0], model.intercept_[0]
    regression = LogisticRegression(C=5.0, max_iter=500).fit(transformer.transform(counts), labels)
    coef, bias = linear_weights(regression)
    return cls(
        terms=vectorizer.get_feature_names_out().tolist(),
        idf=torch.from_numpy(transformer.idf_).float(),
        tfidf=torch.from_numpy(np.vstack([coef.T, bias])).float(),
        bayes=torch.from_numpy(bayes).float(),
        majority=int(np.bincount(labels).argmax()),
    )
