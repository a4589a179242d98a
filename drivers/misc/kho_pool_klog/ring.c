// SPDX-License-Identifier: GPL-2.0-only
/* A ring of log lines, see ring.h. */
#include <linux/align.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/stddef.h>
#include <linux/string.h>
#include <linux/xxhash.h>

#include "ring.h"

static u64 ring_step(u32 len)
{
	return ALIGN(sizeof(struct kho_pool_klog_record) + len, KHO_POOL_KLOG_ALIGN);
}

static u64 ring_check_of(const struct kho_pool_klog_record *rec, u32 len, u64 pos)
{
	return xxh64(&rec->kernel, offsetof(struct kho_pool_klog_record, text) -
		     offsetof(struct kho_pool_klog_record, kernel) + len, pos);
}

static u64 ring_header_check(const struct kho_pool_klog_header *h)
{
	return xxh64(h, offsetof(struct kho_pool_klog_header, check), 0);
}

static struct kho_pool_klog_record *ring_place(const struct klog_ring *ring, u64 pos)
{
	return (struct kho_pool_klog_record *)(ring->at + pos % ring->size);
}

/* Can a record be there, before the ring's end? */
static bool ring_room(const struct klog_ring *ring, u64 pos, u32 len)
{
	return pos % ring->size + ring_step(len) <= ring->size;
}

/* Was a record begun there, complete or not? */
static bool ring_begun(const struct klog_ring *ring, u64 pos)
{
	return ring_room(ring, pos, 0) && le64_to_cpu(READ_ONCE(ring_place(ring, pos)->pos)) == pos;
}

/*
 * Copy the record of this position, if there is one.  It may be overwritten
 * meanwhile; its check shows that.
 */
static bool ring_get_record(const struct klog_ring *ring, u64 pos, struct kho_pool_klog_record *to)
{
	const struct kho_pool_klog_record *rec = ring_place(ring, pos);
	u32 len;

	if (!ring_begun(ring, pos))
		return false;
	len = le32_to_cpu(READ_ONCE(rec->len));
	if (len > KHO_POOL_KLOG_LINE_MAX || !ring_room(ring, pos, len))
		return false;
	memcpy(to, rec, sizeof(*rec) + len);
	return le32_to_cpu(to->len) == len && le64_to_cpu(to->check) == ring_check_of(to, len, pos);
}

static struct kho_pool_klog_record *ring_alloc_record(void)
{
	return kmalloc(sizeof(struct kho_pool_klog_record) + KHO_POOL_KLOG_LINE_MAX, GFP_KERNEL);
}

/**
 * klog_ring_format - begin a log
 * @mem: cleared memory, aligned to 8 bytes
 * @size: its bytes, a multiple of 8
 */
void klog_ring_format(void *mem, u64 size)
{
	struct kho_pool_klog_header *to = mem, h = {
		.magic = cpu_to_le64(KHO_POOL_KLOG_MAGIC),
		.version = cpu_to_le32(KHO_POOL_KLOG_VERSION),
		.ring_size = cpu_to_le64(size - sizeof(h)),
	};

	h.check = cpu_to_le64(ring_header_check(&h));
	h.magic = 0;
	*to = h;
	/* Before this there is no log. */
	smp_wmb();
	WRITE_ONCE(to->magic, cpu_to_le64(KHO_POOL_KLOG_MAGIC));
}

/**
 * klog_ring_known - is it a log of this version?
 * @mem: the memory
 * @size: its bytes
 *
 * Return: true if the header is intact and matches the size.
 */
bool klog_ring_known(const void *mem, u64 size)
{
	const struct kho_pool_klog_header *h = mem;

	return h->magic == cpu_to_le64(KHO_POOL_KLOG_MAGIC) &&
	       h->version == cpu_to_le32(KHO_POOL_KLOG_VERSION) &&
	       le64_to_cpu(h->check) == ring_header_check(h) &&
	       le64_to_cpu(h->ring_size) == size - sizeof(*h);
}

/**
 * klog_ring_empty - was the kernel stopped before klog_ring_format()?
 * @mem: the memory, which is cleared when it is allocated
 *
 * Return: true if there is no header.
 */
bool klog_ring_empty(const void *mem)
{
	const struct kho_pool_klog_header *h = mem;

	/* The magic is written last; what follows it may be torn. */
	return !h->magic;
}

/**
 * klog_ring_read - find the end of a log
 * @ring: is set up so that the next line goes after the last one
 * @mem: a log that klog_ring_known() has accepted
 * @size: its bytes
 *
 * Context: May sleep.
 * Return: how many lines there are, or -ENOMEM.
 */
int klog_ring_read(struct klog_ring *ring, void *mem, u64 size)
{
	struct kho_pool_klog_record *rec = ring_alloc_record();
	u64 at = 0, wrap;
	int lines = 0;

	if (!rec)
		return -ENOMEM;
	*ring = (struct klog_ring) {
		.at = mem + sizeof(struct kho_pool_klog_header),
		.size = size - sizeof(struct kho_pool_klog_header),
	};
	/* A record begins at the ring's beginning. */
	while (at + sizeof(*rec) <= ring->size) {
		u64 pos = le64_to_cpu(ring_place(ring, at)->pos);

		cond_resched();
		if (pos % ring->size != at || !ring_get_record(ring, pos, rec)) {
			at += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		lines++;
		ring->end = max(ring->end, pos + ring_step(le32_to_cpu(rec->len)));
		ring->kernel = max(ring->kernel, le32_to_cpu(rec->kernel));
		at += ring_step(le32_to_cpu(rec->len));
	}
	kfree(rec);
	if (!ring->end)
		return lines;
	/* Was one begun, at the next position or, for lack of room, at the ring's beginning? */
	wrap = roundup(ring->end, ring->size);
	ring->torn = ring_begun(ring, wrap) || ring_begun(ring, ring->end);
	/* The next record overwrites it, even if it is short enough to fit before it. */
	if (ring_begun(ring, wrap))
		ring->end = wrap;
	return lines;
}

/**
 * klog_ring_put - add a line
 * @ring: the ring
 * @text: the line, without its end
 * @len: bytes; lines longer than KHO_POOL_KLOG_LINE_MAX are cut off
 *
 * Context: Any, but one caller at a time.  Others may read meanwhile.
 */
void klog_ring_put(struct klog_ring *ring, const char *text, size_t len)
{
	struct kho_pool_klog_record *rec;
	u64 pos = ring->end;

	len = min(len, KHO_POOL_KLOG_LINE_MAX);
	if (!ring_room(ring, pos, len))
		pos += ring->size - pos % ring->size;
	rec = ring_place(ring, pos);
	WRITE_ONCE(rec->pos, cpu_to_le64(pos));
	/* From here on it is this line, but torn. */
	smp_wmb();
	rec->kernel = cpu_to_le32(ring->kernel);
	rec->len = cpu_to_le32(len);
	memcpy(rec->text, text, len);
	/* The check must not be written before the data it covers. */
	smp_wmb();
	WRITE_ONCE(rec->check, cpu_to_le64(ring_check_of(rec, len, pos)));
	/* Pairs with klog_ring_text(). */
	smp_store_release(&ring->end, pos + ring_step(len));
}

/**
 * klog_ring_text - get the lines of the log, each after the number of its kernel
 * @ring: the ring
 * @buf: as large as the ring, which is sufficient: a line's number and newline are
 *	shorter than its record's header
 *
 * Context: May sleep.
 * Return: bytes, or -ENOMEM.
 */
ssize_t klog_ring_text(const struct klog_ring *ring, char *buf)
{
	struct kho_pool_klog_record *rec = ring_alloc_record();
	/* Pairs with klog_ring_put(). */
	u64 end = smp_load_acquire(&ring->end);
	u64 pos = end > ring->size ? end - ring->size : 0;
	size_t used = 0;

	if (!rec)
		return -ENOMEM;
	while (pos < end) {
		u32 len;

		cond_resched();
		if (!ring_get_record(ring, pos, rec)) {
			pos += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		len = le32_to_cpu(rec->len);
		used += scnprintf(buf + used, ring->size - used, "%u ", le32_to_cpu(rec->kernel));
		memcpy(buf + used, rec->text, len);
		used += len;
		buf[used++] = '\n';
		pos += ring_step(len);
	}
	kfree(rec);
	return used;
}
