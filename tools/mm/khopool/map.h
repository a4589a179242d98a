/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * khopool map: the picture of a pool, which its forms share.
 *
 *	map.c --> map_json.c
 *	      --> map_text.c ------------------------------------------+
 *	      --> map_html.c --> map_region.c --> map_shapes.c ---------+--> map_cells.c
 *	                     |            +-----> map_draw.c <--+       |
 *	                     +-> map_table.c, map_figures.c ------------+
 *	                     +-> map_style.c
 *	map_html.c, map_draw.c, map_table.c, map_figures.c --> map_colour.c, map_escape.c
 */
#ifndef _KHOPOOL_MAP_H
#define _KHOPOOL_MAP_H

#include "machine.h"

#define MAX_REGIONS	60
#define MAX_KINDS	128	/* owners, with those of unclaimed extents */

/* Extents that look the same: an owner's, claimed or not */
struct kind {
	const char *owner;
	bool unclaimed;
	char letter;
	u64 extents, bytes;
};

struct picture {
	const char *pool;
	struct extent *extents;		/* in the order of their addresses */
	struct region regions[MAX_REGIONS];
	u64 bad_frames[MAX_REGIONS];
	struct kind kinds[MAX_KINDS];
	u32 nr_extents, nr_regions, nr_kinds;
	u64 cell;		/* bytes */
	u32 cells;		/* in a row */
	u32 number;		/* of the pool in the document */
	u32 *row, rows;		/* the first extent in each one's row of the table; all of them */
};

/* Some memory of a region, and what is in it */
struct cell {
	u64 at;			/* where it begins; the region may begin later */
	u64 from, to;		/* what of it is in the region; nothing: both are the same */
	u32 in_row;		/* 0: it begins a row */
	u32 first, nr;		/* extents that have a part in it; none: the next one */
	u64 used;
	u32 kind;		/* that uses the most of it */
};

/* map_cells.c */
u32 kind_of(const struct picture *p, const struct extent *extent);
/* NULL: it is in none */
const struct region *region_of(const struct picture *p, const struct extent *extent);
void count_kinds(struct picture *p);
/* @cell: bytes, or 0: such that there are not too many rows of @cells cells */
void set_scale(struct picture *p, u64 cell, u32 cells, u32 max_rows);
/* The cells of a region, row by row */
void begin_cells(const struct picture *p, const struct region *r, struct cell *c);
bool next_cell(const struct picture *p, const struct region *r, struct cell *c);
/* What is between @c->from and @c->to; extents before @c->first end before it. */
void look_into(const struct picture *p, struct cell *c);
/* The page size of an owner such as "dax21", or 0 */
u64 pages_of_owner(const char *owner);

/* map_text.c, map_json.c: a pool */
void map_text(struct picture *p, u64 cell, bool colour);
void map_json(const struct picture *p);

/* map_html.c: a document, and a pool in it */
void html_begin(const struct pools *pools);
void map_html(struct picture *p, u64 cell);
void html_end(void);

/* map_escape.c: a name, which is arbitrary bytes, as text in HTML; and how wide it is */
void html_text(const char *s);
u32 html_width(const char *s);

/* map_colour.c: 1 to COLOURS, which map_style.c has */
#define COLOURS 8
u32 colour_of(const char *owner);
const char *class_of(const struct kind *kind);
void html_swatch(const char *class);

/* A part of a row of the picture */
struct shape {
	enum { NOTHING, FREE, LARGE, SMALL } what;
	u64 from, to;
	u32 first, last;	/* extents */
	u32 kind;		/* that uses the most of it */
	u32 height;		/* of a column of small ones */
	bool odd;		/* Neighbours of one owner differ. */
	u64 used;
};

#define ROW_HEIGHT 22		/* in pixels */

struct row {
	const struct picture *p;
	const struct region *r;
	u64 at;			/* where it begins */
	struct shape last;	/* not drawn yet, as it may go on */
	struct shape large, labelled;	/* the last ones */
};

/* map_shapes.c: the next cell of a row */
void add_cell(struct row *row, const struct cell *c);

/* map_draw.c: the last shape; and where some memory is in the row */
void draw_shape(struct row *row);
void html_place(const struct row *row, u64 from, u64 to);

/* map_figures.c, map_region.c, map_table.c: parts of what is said of a pool */
void html_figures(const struct picture *p);
void html_region(const struct picture *p, const struct region *r);
void plan_table(struct picture *p);
void html_table(const struct picture *p);

/* map_style.c */
extern const char html_style[];

#endif /* _KHOPOOL_MAP_H */
