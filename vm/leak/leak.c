// SPDX-License-Identifier: GPL-2.0
/*
 * Leaks an object when something is written to /sys/module/leak/parameters/lose, to see
 * that a VM with kmemleak tells. The object has a cache of its own: there nothing that
 * is freed takes the place of the pointer that the allocator may have kept.
 */
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

static struct kmem_cache *cache;

static int lose(const char *val, const struct kernel_param *kp)
{
	return cache && kmem_cache_zalloc(cache, GFP_KERNEL) ? 0 : -ENOMEM;
}

static const struct kernel_param_ops lose_ops = { .set = lose };
module_param_cb(lose, &lose_ops, NULL, 0200);

/* There is no exit: the object would be in its way. */
static int __init leak_init(void)
{
	cache = kmem_cache_create("leak", 200, 0, SLAB_NO_MERGE, NULL);
	return cache ? 0 : -ENOMEM;
}
module_init(leak_init);

MODULE_DESCRIPTION("Leaks memory on purpose");
MODULE_LICENSE("GPL");
