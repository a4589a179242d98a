// SPDX-License-Identifier: GPL-2.0-only
/* khopool map: a pool as rows of cells, and whose they are */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

#define ROWS	16	/* per pool, by default */

u32 kind_of(const struct picture *p, const struct extent *extent)
{
	bool unclaimed = extent->flags & KHO_POOL_EXTENT_UNCLAIMED;
	u32 i;

	for (i = 0; i < p->nr_kinds; i++)
		if (p->kinds[i].unclaimed == unclaimed && !strcmp(p->kinds[i].owner, extent->owner))
			return i;
	return i == MAX_KINDS ? i - 1 : i;
}

const struct region *region_of(const struct picture *p, const struct extent *extent)
{
	for (u32 i = 0; i < p->nr_regions; i++)
		if (extent->phys - p->regions[i].base < p->regions[i].size)
			return &p->regions[i];
	return NULL;
}

/* The first unused letter of the name, else the first unused one of all, else '+' */
static char letter_for(const struct picture *p, const char *owner)
{
	char try[KHO_POOL_UAPI_POOL_MAX + 26 + 1];

	snprintf(try, sizeof(try), "%.31sABCDEFGHIJKLMNOPQRSTUVWXYZ", owner);
	for (const char *c = try; *c; c++) {
		char letter = toupper((u8)*c);
		bool taken = !isascii(letter) || !isalpha(letter);

		for (u32 i = 0; i < p->nr_kinds; i++)
			taken |= p->kinds[i].letter == letter;
		if (!taken)
			return letter;
	}
	return '+';
}

void count_kinds(struct picture *p)
{
	p->nr_kinds = 0;
	for (u32 i = 0; i < p->nr_extents; i++) {
		const struct extent *extent = &p->extents[i];
		u32 k = kind_of(p, extent);

		if (k == p->nr_kinds) {
			p->kinds[k] = (struct kind){
				.owner = extent->owner,
				.unclaimed = extent->flags & KHO_POOL_EXTENT_UNCLAIMED,
			};
			p->nr_kinds++;
		}
		p->kinds[k].extents++;
		p->kinds[k].bytes += extent->bytes;
	}
	for (u32 i = 0; i < p->nr_kinds; i++)
		p->kinds[i].letter = letter_for(p, p->kinds[i].owner);
}

static u64 rows_of(const struct picture *p, u64 cell)
{
	u64 rows = 0, row = cell * p->cells;

	for (u32 i = 0; i < p->nr_regions; i++) {
		const struct region *r = &p->regions[i];

		rows += (r->base + r->size + row - 1) / row - r->base / row;
	}
	return rows;
}

void set_scale(struct picture *p, u64 cell, u32 cells, u32 max_rows)
{
	u32 most = ROWS > 2 * p->nr_regions ? ROWS : 2 * p->nr_regions;

	p->cells = cells;
	p->cell = cell ?: (u64)sysconf(_SC_PAGESIZE);
	while (!cell && rows_of(p, p->cell) > most)
		p->cell *= 2;
	if (rows_of(p, p->cell) > max_rows)
		die("--cell: that would be %" PRIu64 " rows", rows_of(p, p->cell));
}

void begin_cells(const struct picture *p, const struct region *r, struct cell *c)
{
	u64 row = p->cell * p->cells;

	/* Before the first one; rows begin with round addresses. */
	*c = (struct cell){ .at = r->base / row * row - p->cell, .in_row = p->cells - 1 };
}

bool next_cell(const struct picture *p, const struct region *r, struct cell *c)
{
	u64 end = r->base + r->size;

	c->at += p->cell;
	c->in_row = (c->in_row + 1) % p->cells;
	if (c->at >= end)
		return false;
	c->from = c->at > r->base ? c->at : r->base;
	c->to = c->at + p->cell < end ? c->at + p->cell : end;
	if (c->to < c->from)
		c->to = c->from;
	look_into(p, c);
	return true;
}

/* How many of its bytes are there */
static u64 part_in(const struct extent *extent, u64 from, u64 to)
{
	u64 end = extent->phys + extent->bytes;

	if (extent->phys > from)
		from = extent->phys;
	if (end < to)
		to = end;
	return to > from ? to - from : 0;
}

void look_into(const struct picture *p, struct cell *c)
{
	u64 used[MAX_KINDS] = {}, most = 0;

	while (c->first < p->nr_extents &&
	       p->extents[c->first].phys + p->extents[c->first].bytes <= c->from)
		c->first++;
	c->nr = 0;
	c->used = 0;
	for (u32 i = c->first; i < p->nr_extents && p->extents[i].phys < c->to; i++) {
		u64 part = part_in(&p->extents[i], c->from, c->to);
		u32 kind = kind_of(p, &p->extents[i]);

		c->nr++;
		c->used += part;
		used[kind] += part;
	}
	for (u32 i = 0; i < p->nr_kinds && c->used; i++) {
		if (used[i] > most) {
			most = used[i];
			c->kind = i;
		}
	}
}

u64 pages_of_owner(const char *owner)
{
	char *end;
	u32 shift;

	if (strncmp(owner, "dax", 3))
		return 0;
	shift = strtoul(owner + 3, &end, 10);
	return end != owner + 3 && !*end && shift >= 12 && shift < 64 ? 1ULL << shift : 0;
}
