// SPDX-License-Identifier: GPL-2.0-only
/*
 * KASLR keeps clear of the memory that kho_pool= requests: a kernel in the middle of the
 * largest piece would leave two pieces for the pool.
 *
 * The decompressor does not know which memory is on which node, nor what the kernel will
 * reserve before mm/kho_pool makes the pools.  So it keeps clear of more memory than they
 * will take.
 */
#define BOOT_CTYPE_H
#include "misc.h"
#include "../string.h"

#include <linux/kho_pool_place.h>

/* Some memory is allocated from the top down before pools are made. */
#define SLACK	KHO_POOL_AREA

/* The sizes that kho_pool= requests */
static u64 sizes[KHO_POOL_MAX_REGIONS];
static unsigned int nr_sizes;

/*
 * Remember what one kho_pool= requests. @val is overwritten; the kernel does not use memory
 * above @limit.
 */
void kho_pool_parse(char *val, u64 limit)
{
	while (val && nr_sizes < KHO_POOL_MAX_REGIONS) {
		char *next = strchr(val, ','), *colon;
		u64 size;

		if (next)
			*next++ = 0;
		colon = strchr(val, ':');
		size = memparse(colon ? colon + 1 : val, &val);
		/* Any memory may be on that node. */
		if (*val == '@')
			size = limit;
		sizes[nr_sizes++] = ALIGN(min(size, limit), KHO_POOL_SECTION);
		val = next;
	}
}

/* Where a pool will be; returns the area that this is in, or NULL. */
static struct slot_area *find_piece(struct slot_area *areas, unsigned int nr, u64 want, u64 grain,
				    struct kho_pool_piece *piece)
{
	struct slot_area *best = NULL;
	unsigned int i;

	piece->size = 0;
	if (want < grain)
		return NULL;

	for (i = 0; i < nr; i++) {
		/* Memory does not begin at 0. */
		u64 start = max_t(u64, areas[i].addr, KHO_POOL_KERNEL_MIN + 1);

		if (kho_pool_offer(piece, start, areas[i].addr + areas[i].size, want + SLACK,
				   grain))
			best = &areas[i];
	}
	return best;
}

/* Take the memory for a pool of this size out of the areas. */
static void avoid_pool(struct slot_area *areas, unsigned int nr, u64 size,
		       unsigned long image_size)
{
	u64 grain = KHO_POOL_AREA;

	while (size) {
		struct kho_pool_piece piece;
		struct slot_area *area = find_piece(areas, nr, size, grain, &piece);

		if (!area && grain == KHO_POOL_SECTION)
			return;
		if (!area) {
			grain = KHO_POOL_SECTION;
			continue;
		}

		/* The rest above the piece is small: leave it out, too. */
		area->num = 0;
		area->size = piece.base - area->addr;
		if (area->size >= image_size)
			area->num = 1 + (area->size - image_size) / CONFIG_PHYSICAL_ALIGN;

		if (piece.size > SLACK)
			size -= min(size, piece.size - SLACK);
	}
}

/* Take the memory for all pools out of the areas.  Returns how many slots are left. */
unsigned long kho_pool_avoid(struct slot_area *areas, unsigned int nr, unsigned long image_size)
{
	unsigned long slots = 0;
	unsigned int i;

	for (i = 0; i < nr_sizes; i++)
		avoid_pool(areas, nr, sizes[i], image_size);
	for (i = 0; i < nr; i++)
		slots += areas[i].num;
	return slots;
}
