// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool map --format=html: which shapes the cells of a row become.
 *
 * Extents of at least a cell are drawn to scale.  Smaller ones are drawn together, as a
 * column for each cell, which is as high as they fill it.  So the picture has a limited
 * size, whatever is in the pool, and areas are those of memory.
 */
#include "map.h"

#define MIN_HEIGHT 4	/* To be seen */

static void add(struct row *row, const struct shape *s)
{
	struct shape *last = &row->last;

	if (s->from >= s->to)
		return;
	if (last->what == s->what && last->to == s->from &&
	    (s->what == FREE || (s->what == LARGE && last->first == s->first) ||
	     (s->what == SMALL && last->kind == s->kind && last->height == s->height))) {
		last->to = s->to;
		last->used += s->used;
		/* One that is in both cells is the same. */
		last->last = s->last;
		return;
	}
	draw_shape(row);
	*last = *s;
}

static void add_large(struct row *row, u32 i, u64 from, u64 to)
{
	const struct extent *extent = &row->p->extents[i];
	struct shape s = {
		.what = LARGE, .first = i, .last = i,
		.from = extent->phys > from ? extent->phys : from,
		.to = extent->phys + extent->bytes < to ? extent->phys + extent->bytes : to,
		.kind = kind_of(row->p, extent),
	};

	if (row->large.what == LARGE && row->large.kind == s.kind)
		s.odd = row->large.odd ^ (row->large.first != i);
	row->large = s;
	add(row, &s);
}

/* Between large extents; in all of the cell if there are none */
static void add_rest(struct row *row, struct cell *c)
{
	struct shape s = { .what = FREE, .from = c->from, .to = c->to };

	if (c->from >= c->to)
		return;
	look_into(row->p, c);
	s.first = c->first;
	if (c->nr) {
		s.what = SMALL;
		s.last = c->first + c->nr - 1;
		s.kind = c->kind;
		s.used = c->used;
		s.height = c->used * ROW_HEIGHT / (c->to - c->from);
		if (s.height < MIN_HEIGHT)
			s.height = MIN_HEIGHT;
		if (s.height > ROW_HEIGHT)
			s.height = ROW_HEIGHT;
	}
	add(row, &s);
}

static bool is_large(const struct picture *p, u32 i)
{
	return p->extents[i].bytes >= p->cell;
}

void add_cell(struct row *row, const struct cell *c)
{
	const struct picture *p = row->p;
	u32 last = c->first + c->nr - 1;
	struct cell rest = *c;
	bool ends = false;

	/* There are up to two large extents in a cell, one at each end. */
	if (c->nr && is_large(p, c->first) && p->extents[c->first].phys <= c->from) {
		add_large(row, c->first, c->from, c->to);
		rest.from = p->extents[c->first].phys + p->extents[c->first].bytes;
		if (rest.from >= c->to)
			return;
	}
	if (c->nr && is_large(p, last) && p->extents[last].phys > c->from) {
		rest.to = p->extents[last].phys;
		ends = true;
	}
	add_rest(row, &rest);
	if (ends)
		add_large(row, last, c->from, c->to);
}
