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

static u64 step(u32 len)
{
	return ALIGN(sizeof(struct kho_pool_klog_record) + len, KHO_POOL_KLOG_ALIGN);
}

static u64 check_of(const struct kho_pool_klog_record *rec, u32 len, u64 pos)
{
	return xxh64(&rec->kernel, offsetof(struct kho_pool_klog_record, text) -
		     offsetof(struct kho_pool_klog_record, kernel) + len, pos);
}

static u64 header_check(const struct kho_pool_klog_header *h)
{
	return xxh64(h, offsetof(struct kho_pool_klog_header, check), 0);
}

static struct kho_pool_klog_record *place(const struct klog_ring *ring, u64 pos)
{
	return (struct kho_pool_klog_record *)(ring->at + pos % ring->size);
}

/* Can one be there, before the ring's end? */
static bool room(const struct klog_ring *ring, u64 pos, u32 len)
{
	return pos % ring->size + step(len) <= ring->size;
}

/* Was one to be there, whether or not all of it is? */
static bool begun(const struct klog_ring *ring, u64 pos)
{
	return room(ring, pos, 0) && le64_to_cpu(READ_ONCE(place(ring, pos)->pos)) == pos;
}

/*
 * Copy the record of this position, if there is one.  It may be written over
 * meanwhile, which its check tells.
 */
static bool get_record(const struct klog_ring *ring, u64 pos, struct kho_pool_klog_record *to)
{
	const struct kho_pool_klog_record *rec = place(ring, pos);
	u32 len;

	if (!begun(ring, pos))
		return false;
	len = le32_to_cpu(READ_ONCE(rec->len));
	if (len > KHO_POOL_KLOG_LINE_MAX || !room(ring, pos, len))
		return false;
	memcpy(to, rec, sizeof(*rec) + len);
	return le32_to_cpu(to->len) == len && le64_to_cpu(to->check) == check_of(to, len, pos);
}

static struct kho_pool_klog_record *alloc_record(void)
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

	h.check = cpu_to_le64(header_check(&h));
	memcpy(&to->version, &h.version, sizeof(h) - offsetof(typeof(h), version));
	/* Until here there is no log. */
	smp_wmb();
	WRITE_ONCE(to->magic, h.magic);
}

/**
 * klog_ring_known - is it a log, of this version?
 * @mem: the memory
 * @size: its bytes
 *
 * Return: true if the header is whole and fits the size.
 */
bool klog_ring_known(const void *mem, u64 size)
{
	const struct kho_pool_klog_header *h = mem;

	return h->magic == cpu_to_le64(KHO_POOL_KLOG_MAGIC) &&
	       h->version == cpu_to_le32(KHO_POOL_KLOG_VERSION) &&
	       le64_to_cpu(h->check) == header_check(h) &&
	       le64_to_cpu(h->ring_size) == size - sizeof(*h);
}

/**
 * klog_ring_empty - was the kernel stopped before klog_ring_format()?
 * @mem: the memory, which is cleared when it is allocated
 *
 * Return: true if there is nothing where the header would be.
 */
bool klog_ring_empty(const void *mem)
{
	const struct kho_pool_klog_header *h = mem;

	/* The magic comes last; what is behind it may be torn. */
	return !h->magic;
}

/**
 * klog_ring_read - find the end of a log
 * @ring: all of it is set; what is put next goes behind the last line
 * @mem: what klog_ring_known() knows
 * @size: its bytes
 *
 * Context: May sleep.
 * Return: how many lines there are, or -ENOMEM.
 */
int klog_ring_read(struct klog_ring *ring, void *mem, u64 size)
{
	struct kho_pool_klog_record *rec = alloc_record();
	u64 at = 0, wrap;
	int lines = 0;

	if (!rec)
		return -ENOMEM;
	*ring = (struct klog_ring) {
		.at = mem + sizeof(struct kho_pool_klog_header),
		.size = size - sizeof(struct kho_pool_klog_header),
	};
	/* A record begins where the ring does. */
	while (at + sizeof(*rec) <= ring->size) {
		u64 pos = le64_to_cpu(place(ring, at)->pos);

		cond_resched();
		if (pos % ring->size != at || !get_record(ring, pos, rec)) {
			at += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		lines++;
		ring->end = max(ring->end, pos + step(le32_to_cpu(rec->len)));
		ring->kernel = max(ring->kernel, le32_to_cpu(rec->kernel));
		at += step(le32_to_cpu(rec->len));
	}
	kfree(rec);
	if (!ring->end)
		return lines;
	/* Was one begun, where the next one is to be or, for want of room, at the beginning? */
	wrap = roundup(ring->end, ring->size);
	ring->torn = begun(ring, wrap) || begun(ring, ring->end);
	/* The next one goes over it, though it may be short enough to go before it. */
	if (begun(ring, wrap))
		ring->end = wrap;
	return lines;
}

/**
 * klog_ring_put - add a line
 * @ring: the ring
 * @text: the line, without its end
 * @len: bytes; what is longer than KHO_POOL_KLOG_LINE_MAX is cut
 *
 * Context: Any, but one at a time.  Others may read meanwhile.
 */
void klog_ring_put(struct klog_ring *ring, const char *text, size_t len)
{
	struct kho_pool_klog_record *rec;
	u64 pos = ring->end;

	len = min(len, KHO_POOL_KLOG_LINE_MAX);
	if (!room(ring, pos, len))
		pos += ring->size - pos % ring->size;
	rec = place(ring, pos);
	WRITE_ONCE(rec->pos, cpu_to_le64(pos));
	/* From here on it is this line, and torn. */
	smp_wmb();
	rec->kernel = cpu_to_le32(ring->kernel);
	rec->len = cpu_to_le32(len);
	memcpy(rec->text, text, len);
	/* No check before what it is of. */
	smp_wmb();
	WRITE_ONCE(rec->check, cpu_to_le64(check_of(rec, len, pos)));
	/* Pairs with klog_ring_text(). */
	smp_store_release(&ring->end, pos + step(len));
}

/**
 * klog_ring_text - the lines of the log, each behind the number of its kernel
 * @ring: the ring
 * @buf: as large as the ring, which is enough: a line's number and end are shorter
 *	than its record's header
 *
 * Context: May sleep.
 * Return: bytes, or -ENOMEM.
 */
ssize_t klog_ring_text(const struct klog_ring *ring, char *buf)
{
	struct kho_pool_klog_record *rec = alloc_record();
	/* Pairs with klog_ring_put(). */
	u64 end = smp_load_acquire(&ring->end);
	u64 pos = end > ring->size ? end - ring->size : 0;
	size_t used = 0;

	if (!rec)
		return -ENOMEM;
	while (pos < end) {
		u32 len;

		cond_resched();
		if (!get_record(ring, pos, rec)) {
			pos += KHO_POOL_KLOG_ALIGN;
			continue;
		}
		len = le32_to_cpu(rec->len);
		used += scnprintf(buf + used, ring->size - used, "%u ", le32_to_cpu(rec->kernel));
		memcpy(buf + used, rec->text, len);
		used += len;
		buf[used++] = '\n';
		pos += step(len);
	}
	kfree(rec);
	return used;
}
