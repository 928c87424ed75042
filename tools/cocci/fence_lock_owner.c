/* What scripts/coccinelle/dma-buf/fence_lock_owner.cocci has to find, and what not. */
struct my_timeline *direct(struct dma_fence *fence)
{
	return container_of(fence->extern_lock, struct my_timeline, lock); /* found */
}

struct my_timeline *embedded(struct my_fence *f)
{
	return container_of(f->base.extern_lock, struct my_timeline, lock); /* found */
}

struct my_timeline *helper(struct dma_fence *fence)
{
	return container_of(dma_fence_spinlock(fence), struct my_timeline, lock); /* found */
}

struct my_timeline *variable(struct dma_fence *fence)
{
	spinlock_t *lock = dma_fence_spinlock(fence);

	if (!fence)
		return NULL;

	return container_of(lock, struct my_timeline, lock); /* found */
}

#define to_timeline(x) container_of((x)->extern_lock, struct my_timeline, lock) /* found */

struct my_fence *fence_itself(struct dma_fence *fence)
{
	return container_of(fence, struct my_fence, base);
}

struct my_timeline *other_lock(struct dma_fence *fence, spinlock_t *lock)
{
	spin_lock(dma_fence_spinlock(fence));
	spin_unlock(dma_fence_spinlock(fence));

	return container_of(lock, struct my_timeline, lock);
}
