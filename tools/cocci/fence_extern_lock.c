/* What scripts/coccinelle/dma-buf/fence_extern_lock.cocci has to find, and what not. */
void external(struct my_fence *f, struct my_ring *ring)
{
	dma_fence_init(&f->base, &my_ops, &ring->lock, ring->context, ++ring->seqno); /* found */
	dma_fence_init64(&f->base, &my_ops, &f->lock, 1, 1); /* found */
}

void own(struct my_fence *f)
{
	dma_fence_init(&f->base, &my_ops, NULL, 1, 1);
	dma_fence_init64(&f->base, &my_ops, NULL, 1, 1);
}
