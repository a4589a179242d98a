// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool map --format=html: the table of extents.
 *
 * Extents of one owner that have no names share a row.  If there would be too many rows
 * nevertheless, so do all that are smaller than a cell in each row of the picture.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "map.h"

#define MAX_ROWS	1000
#define OPEN_ROWS	100	/* More are shown when somebody asks for them. */

static bool is_small(const struct picture *p, const struct extent *extent)
{
	return extent->bytes < p->cell;
}

static bool share_row(const struct picture *p, u32 i, bool small)
{
	const struct extent *one = &p->extents[i - 1], *two = &p->extents[i];
	u64 row = p->cell * p->cells;

	if (region_of(p, one) != region_of(p, two))
		return false;
	if (!one->name[0] && !two->name[0] && kind_of(p, one) == kind_of(p, two))
		return true;
	return small && is_small(p, one) && is_small(p, two) && one->phys / row == two->phys / row;
}

static u32 plan(struct picture *p, bool small)
{
	u32 rows = 0;

	for (u32 i = 0; i < p->nr_extents; i++) {
		bool shared = i && share_row(p, i, small);

		p->row[i] = shared ? p->row[i - 1] : i;
		rows += !shared;
	}
	return rows;
}

void plan_table(struct picture *p)
{
	p->row = calloc(p->nr_extents ?: 1, sizeof(*p->row));
	if (!p->row)
		die("no memory");
	p->rows = plan(p, false);
	if (p->rows > MAX_ROWS)
		p->rows = plan(p, true);
}

static void add_tag(const struct extent *extent, u32 flag, const char *what)
{
	if (extent->flags & flag)
		printf(" <span class='tag'>%s</span>", what);
}

static void owner_cell(const struct picture *p, const struct extent *extent, bool more)
{
	fputs("<td>", stdout);
	html_swatch(class_of(&p->kinds[kind_of(p, extent)]));
	html_text(extent->owner);
	if (more)
		fputs(" and others", stdout);
	add_tag(extent, KHO_POOL_EXTENT_UNCLAIMED, "unclaimed");
	add_tag(extent, KHO_POOL_EXTENT_HELD, "session");
	add_tag(extent, KHO_POOL_EXTENT_PINNED, "pinned");
	puts("</td>");
}

static void name_cell(const struct extent *first, const struct extent *last)
{
	fputs("<td>", stdout);
	if (first == last && first->name[0]) {
		html_text(first->name);
	} else {
		printf("<i>%u extent%s%s</i>", (u32)(last - first + 1), first == last ? "" : "s",
		       first->name[0] || last->name[0] ? ", " : " without a name");
		html_text(first->name);
		if (first->name[0] || last->name[0])
			fputs("&#8230;", stdout);
		html_text(last->name);
	}
	fputs("</td>", stdout);
}

static void table_line(const struct picture *p, u32 from, u32 to)
{
	const struct extent *first = &p->extents[from], *last = &p->extents[to];
	const struct region *r = region_of(p, first);
	bool others = false, exposed = first->flags & KHO_POOL_EXTENT_EXPOSED;
	char text[64];
	u64 bytes = 0;

	for (u32 i = from; i <= to; i++) {
		bytes += p->extents[i].bytes;
		others |= kind_of(p, &p->extents[i]) != kind_of(p, first);
	}
	printf("<tr id='e%u-%u'>", p->number, from);
	name_cell(first, last);
	printf("<td>%s</td><td>%#" PRIx64 "</td>", size_text(bytes, text), first->phys);
	owner_cell(p, first, others);
	if (r && r->nid >= 0)
		printf("<td>%d</td>", r->nid);
	else
		fputs("<td></td>", stdout);
	if (exposed && from == to) {
		printf("<td>%s</td>", size_text(first->align, text));
		printf("<td>%s</td>", device_path(first, text));
	} else {
		fputs("<td></td><td></td>", stdout);
	}
	puts("</tr>");
}

void html_table(const struct picture *p)
{
	u32 from = 0;

	if (!p->nr_extents)
		return;
	printf("<details%s>", p->rows > OPEN_ROWS ? "" : " open='open'");
	printf("<summary>%u extent%s</summary>\n", p->nr_extents, p->nr_extents == 1 ? "" : "s");
	puts("<table>\n<thead><tr><th>Name</th><th>Size</th><th>Address</th><th>Owner</th>\n"
	     "<th>Node</th><th>Pages</th><th>Device</th></tr></thead>\n<tbody>");
	for (u32 i = 1; i <= p->nr_extents; i++) {
		if (i < p->nr_extents && p->row[i] == from)
			continue;
		table_line(p, from, i - 1);
		from = i;
	}
	puts("</tbody>\n</table>\n</details>");
}
