// SPDX-License-Identifier: GPL-2.0-only
/* khopool map --format=html: the picture of a region, in rows of equal amounts of memory */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "map.h"

/* In pixels */
#define PITCH	26	/* from one row to the next */
#define AXIS	18	/* above the first row */

static void begin_row(struct row *row, u32 nr, bool good)
{
	const struct region *r = row->r;
	u64 end = row->at + row->p->cell * row->p->cells;
	u64 from = r->base > row->at ? r->base : row->at;
	u64 to = r->base + r->size < end ? r->base + r->size : end;

	printf("%s<g transform='translate(0 %u)'>\n<rect class='%s' ", nr ? "</g>\n" : "",
	       AXIS + nr * PITCH, good ? "track" : "quarantined");
	html_place(row, from, to);
	printf(" height='%u'>", ROW_HEIGHT);
	if (!good) {
		fputs("<title>quarantined: ", stdout);
		html_text(r->state);
		fputs("</title>", stdout);
	}
	puts("</rect>");
}

static void draw_axis(const struct picture *p)
{
	char size[32];

	fputs("<g class='axis'>", stdout);
	for (u32 i = 0; i <= 4; i++) {
		printf("<text x='%u%%' y='10'%s>%s</text>", i * 25,
		       i == 4 ? " class='end'" : i % 2 ? " class='w1'" : "",
		       i ? size_short(p->cell * p->cells / 4 * i, size) : "0");
	}
	puts("</g>");
}

static void draw_grid(u32 rows)
{
	fputs("<g class='grid'>", stdout);
	for (u32 i = 1; i < 4; i++)
		printf("<line x1='%u%%' x2='%u%%' y1='%u' y2='%u'/>", i * 25, i * 25,
		       AXIS, AXIS + rows * PITCH - (PITCH - ROW_HEIGHT));
	puts("</g>");
}

static void draw_head(const struct picture *p, const struct region *r, bool good)
{
	u64 bad = p->bad_frames[r - p->regions];
	char size[32];

	fputs("<h3>", stdout);
	if (r->nid >= 0)
		printf("Node %d, ", r->nid);
	printf("%s at <code>%#" PRIx64 "</code>", size_text(r->size, size), r->base);
	if (!good) {
		fputs(" <span class='tag wrong'>quarantined: ", stdout);
		html_text(r->state);
		fputs("</span>", stdout);
	}
	if (bad)
		printf(" <span class='tag wrong'>%" PRIu64 " page%s with memory errors</span>",
		       bad, bad == 1 ? "" : "s");
	puts("</h3>");
}

void html_region(const struct picture *p, const struct region *r)
{
	u64 bytes = p->cell * p->cells, at = r->base / bytes * bytes;
	u32 nr = 0, rows = (r->base + r->size - at + bytes - 1) / bytes;
	struct row row = { .p = p, .r = r };
	/* Pictures of all regions begin at the same place. */
	const struct region *last = &p->regions[p->nr_regions - 1];
	bool good = !strcmp(r->state, "ok");
	struct cell c;

	puts("<figure>");
	draw_head(p, r, good);
	printf("<div class='picture'><pre style='padding-top:%upx;line-height:%upx;width:%dch'>",
	       AXIS - (PITCH - ROW_HEIGHT) / 2, PITCH,
	       snprintf(NULL, 0, "0x%" PRIx64, last->base + last->size - 1));
	for (u32 i = 0; i < rows; i++)
		printf("0x%" PRIx64 "\n", at + i * bytes);
	printf("</pre><div class='rows'><svg width='100%%' height='%u'>\n",
	       AXIS + rows * PITCH);
	draw_axis(p);
	for (begin_cells(p, r, &c); next_cell(p, r, &c); ) {
		if (!c.in_row) {
			draw_shape(&row);
			row.at = c.at;
			begin_row(&row, nr++, good);
		}
		if (good && c.from < c.to)
			add_cell(&row, &c);
	}
	draw_shape(&row);
	puts("</g>");
	draw_grid(rows);
	puts("</svg></div></div>\n</figure>");
}
