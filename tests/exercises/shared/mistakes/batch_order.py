"""Wrong bodies of `Batches.order`."""


def same_every_epoch(self, epoch):
    """The number of the epoch plays no part; every epoch has the same batches and the same augmentation."""
    generator = np.random.default_rng(self.seed)
    order = generator.permutation(len(self.dataset))
    seeds = generator.integers(2**63, size=len(self.dataset))
    batches = order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)
    if self.lengths is not None:
        pools = np.split(batches, range(POOL, len(self), POOL))
        by_length = [pool.flat[np.argsort(self.lengths[pool], axis=None, kind="stable")] for pool in pools]
        batches = generator.permutation(np.concatenate(by_length).reshape(batches.shape))
    mine = slice(distributed.rank(), None, distributed.world_size())
    return [[Item(int(i), int(seeds[i])) for i in batch[mine]] for batch in batches]


def not_shared(self, epoch):
    """Every process takes the whole batch; two processes then learn each item twice."""
    generator = np.random.default_rng((self.seed, epoch))
    order = generator.permutation(len(self.dataset))
    seeds = generator.integers(2**63, size=len(self.dataset))
    batches = order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)
    if self.lengths is not None:
        pools = np.split(batches, range(POOL, len(self), POOL))
        by_length = [pool.flat[np.argsort(self.lengths[pool], axis=None, kind="stable")] for pool in pools]
        batches = generator.permutation(np.concatenate(by_length).reshape(batches.shape))
    return [[Item(int(i), int(seeds[i])) for i in batch] for batch in batches]


def sorted_batches(self, epoch):
    """The batches stay in the order of their lengths; the network sees short items first, in every pool."""
    generator = np.random.default_rng((self.seed, epoch))
    order = generator.permutation(len(self.dataset))
    seeds = generator.integers(2**63, size=len(self.dataset))
    batches = order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)
    if self.lengths is not None:
        pools = np.split(batches, range(POOL, len(self), POOL))
        by_length = [pool.flat[np.argsort(self.lengths[pool], axis=None, kind="stable")] for pool in pools]
        batches = np.concatenate(by_length).reshape(batches.shape)
    mine = slice(distributed.rank(), None, distributed.world_size())
    return [[Item(int(i), int(seeds[i])) for i in batch[mine]] for batch in batches]


def seed_by_place(self, epoch):
    """The seed belongs to the place in the batch instead of the item; a resumed or sorted epoch augments differently."""
    generator = np.random.default_rng((self.seed, epoch))
    order = generator.permutation(len(self.dataset))
    seeds = generator.integers(2**63, size=(len(self), self.batch_size))
    batches = order[: len(self) * self.batch_size].reshape(len(self), self.batch_size)
    if self.lengths is not None:
        pools = np.split(batches, range(POOL, len(self), POOL))
        by_length = [pool.flat[np.argsort(self.lengths[pool], axis=None, kind="stable")] for pool in pools]
        batches = generator.permutation(np.concatenate(by_length).reshape(batches.shape))
    mine = slice(distributed.rank(), None, distributed.world_size())
    return [[Item(int(i), int(s)) for i, s in zip(b[mine], row[mine])] for b, row in zip(batches, seeds)]
