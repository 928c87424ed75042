/* What scripts/coccinelle/dma-buf/fence_slab.cocci has to find, and what not. */
struct my_fence {
	struct dma_fence base;
};

struct typeless_fence {
	struct dma_fence base;
};

struct large_fence {
	struct dma_fence base;
};

struct my_request {
	struct dma_fence *fence;
};

struct my_fence *typed(void)
{
	struct my_fence *f = kmem_cache_zalloc(my_slab, GFP_KERNEL); /* found */

	if (!f)
		f = kmem_cache_alloc(my_slab, GFP_ATOMIC); /* found */

	dma_fence_init(&f->base, &my_ops, NULL, 1, 1);
	return f;
}

int caches(void)
{
	typeless_slab = KMEM_CACHE(typeless_fence, SLAB_HWCACHE_ALIGN);
	large_slab = kmem_cache_create("large", sizeof(struct large_fence), 0,
				       SLAB_HWCACHE_ALIGN, NULL);
	return typeless_slab && large_slab ? 0 : -ENOMEM;
}

void *typeless(void)
{
	return kmem_cache_alloc(typeless_slab, GFP_KERNEL); /* found */
}

void typeless_init(struct typeless_fence *f)
{
	dma_fence_init64(&f->base, &my_ops, NULL, 1, 1);
}

void *large(int node)
{
	return kmem_cache_alloc_node(large_slab, GFP_KERNEL, node); /* found */
}

void large_put(struct large_fence *f)
{
	dma_fence_put(&f->base);
}

/* A fence that was made with kmalloc(), and an object that only points to one. */
struct my_request *request(void)
{
	struct my_request *rq = kmem_cache_zalloc(request_slab, GFP_KERNEL);
	struct my_fence *f = kzalloc(sizeof(*f), GFP_KERNEL);

	dma_fence_init(&f->base, &my_ops, NULL, 1, 1);
	rq->fence = dma_fence_get(&f->base);
	dma_fence_put(rq->fence);
	return rq;
}
