/* What scripts/coccinelle/dma-buf/fence_locking.cocci has to find, and what not. */
void lock_itself(struct dma_fence *fence)
{
	unsigned long flags;

	spin_lock_irqsave(dma_fence_spinlock(fence), flags); /* found */
	spin_unlock_irqrestore(dma_fence_spinlock(fence), flags);

	spin_lock(fence->extern_lock); /* found */
	spin_unlock(fence->extern_lock);

	spin_lock_irq(&fence->inline_lock); /* found */
	spin_unlock_irq(&fence->inline_lock);
}

void variable(struct dma_fence *fence)
{
	spinlock_t *lock = dma_fence_spinlock(fence);

	spin_lock(lock); /* found */
	spin_unlock(lock);
}

void around(struct my_timeline *tl)
{
	struct my_fence *f;
	unsigned long flags;

	spin_lock_irqsave(&tl->lock, flags);
	list_for_each_entry(f, &tl->fences, node) {
		if (!dma_fence_is_signaled_locked(&f->base)) /* found */
			dma_fence_signal_locked(&f->base); /* found */
	}
	spin_unlock_irqrestore(&tl->lock, flags);
}

void asserted(struct my_timeline *tl, struct my_fence *f)
{
	lockdep_assert_held(&tl->lock);
	dma_fence_signal_locked(&f->base); /* found */
}

void guarded(struct my_timeline *tl, struct my_fence *f)
{
	guard(spinlock_irqsave)(&tl->lock);
	dma_fence_signal_locked(&f->base); /* found */
}

void scoped(struct my_timeline *tl)
{
	struct my_fence *f;

	scoped_guard(spinlock_irqsave, &tl->lock) {
		list_for_each_entry(f, &tl->fences, node)
			dma_fence_check_and_signal_locked(&f->base); /* found */
	}
}

void by_itself(struct my_timeline *tl, struct my_fence *f)
{
	unsigned long flags;

	spin_lock_irqsave(&tl->list_lock, flags);
	list_del(&f->node);
	spin_unlock_irqrestore(&tl->list_lock, flags);

	dma_fence_signal(&f->base);
}

void fence_locked(struct my_timeline *tl, struct my_fence *f)
{
	unsigned long flags;

	dma_fence_lock_irqsave(&f->base, flags);
	dma_fence_signal_locked(&f->base);
	dma_fence_unlock_irqrestore(&f->base, flags);
}

/* Another lock outside of that of the fence. */
void nested(struct my_timeline *tl, struct my_fence *f)
{
	unsigned long flags;

	spin_lock(&tl->list_lock);
	dma_fence_lock_irqsave(&f->base, flags);
	if (!dma_fence_is_signaled_locked(&f->base))
		dma_fence_signal_locked(&f->base);
	dma_fence_unlock_irqrestore(&f->base, flags);
	spin_unlock(&tl->list_lock);
}

/* Called with the lock held, as enable_signaling is. */
bool called_locked(struct dma_fence *fence)
{
	dma_fence_assert_held(fence);
	return !dma_fence_is_signaled_locked(fence);
}
