/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The ring of include/linux/kho/abi/kho_pool_klog.h: no console, no device, no pool.
 */
#ifndef _KHO_POOL_KLOG_RING_H
#define _KHO_POOL_KLOG_RING_H

#include <linux/kho/abi/kho_pool_klog.h>
#include <linux/types.h>

struct klog_ring {
	char *at;
	u64 size;	/* of the ring, in bytes */
	u64 end;	/* position of the next record */
	u32 kernel;	/* number of the kernel that writes */
	bool torn;	/* an earlier kernel stopped in the middle of a line */
};

void klog_ring_format(void *mem, u64 size);
bool klog_ring_known(const void *mem, u64 size);
bool klog_ring_empty(const void *mem);
int klog_ring_read(struct klog_ring *ring, void *mem, u64 size);
void klog_ring_put(struct klog_ring *ring, const char *text, size_t len);
ssize_t klog_ring_text(const struct klog_ring *ring, char *buf);

#endif /* _KHO_POOL_KLOG_RING_H */
