// SPDX-License-Identifier: GPL-2.0-only
/* khopool map --format=html: a shape in a row of the picture, with what is said of it */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "map.h"

static double x_of(const struct row *row, u64 at)
{
	return (at - row->at) * 100.0 / (row->p->cell * row->p->cells);
}

void html_place(const struct row *row, u64 from, u64 to)
{
	printf("x='%.5g%%' width='%.5g%%'", x_of(row, from), x_of(row, to) - x_of(row, from));
}

/* In the middle; shown only where it fits at the width that the picture has then */
static void label(const struct row *row, const char *class, const char *text, u32 width)
{
	static const u32 widths[] = { 280, 460, 700, 1000 };
	double from = x_of(row, row->last.from), to = x_of(row, row->last.to);

	for (u32 i = 0; i < ARRAY_SIZE(widths); i++) {
		if ((to - from) / 100 * widths[i] < 7.2 * width + 12)
			continue;
		printf("<text class='w%u %s' x='%.5g%%' y='15'>", i, class, (from + to) / 2);
		html_text(text);
		fputs("</text>", stdout);
		return;
	}
}

/* What has @bytes and may go over several rows has one label, where there is room for it. */
static bool wants_label(struct row *row, u64 bytes)
{
	const struct shape *s = &row->last;
	u64 most = row->p->cell * row->p->cells;

	if (row->labelled.what == s->what && row->labelled.first == s->first)
		return false;
	if ((s->to - s->from) * 2 < (bytes < most ? bytes : most))
		return false;
	row->labelled = *s;
	return true;
}

/* A line each: name, where, whose, device */
static void tell_extent(const struct extent *extent)
{
	char text[160];

	html_text(extent->name[0] ? extent->name : "without a name");
	printf("\n%s", size_text(extent->bytes, text));
	printf(" at %#" PRIx64 "\nowner ", extent->phys);
	html_text(extent->owner);
	if (extent->flags & KHO_POOL_EXTENT_UNCLAIMED)
		fputs(", which has not claimed it", stdout);
	if (!(extent->flags & KHO_POOL_EXTENT_EXPOSED))
		return;
	printf("\n%s", device_path(extent, text));
	printf(", pages of %s", size_text(extent->align, text));
}

static void tell_small(const struct picture *p, const struct shape *s)
{
	const struct extent *first = &p->extents[s->first];
	char used[32], size[32];

	if (s->first == s->last) {
		tell_extent(first);
		return;
	}
	printf("%u small extents", s->last - s->first + 1);
	printf("\n%s in use of %s at %#" PRIx64 "\nmost of it by ", size_short(s->used, used),
	       size_short(s->to - s->from, size), s->from);
	html_text(p->kinds[s->kind].owner);
}

/* Where there are memory errors, it may not be free. */
static const char *free_word(const struct row *row)
{
	return row->p->bad_frames[row->r - row->p->regions] ? "unused" : "free";
}

/* All of the piece, of which the row may have a part only; returns its size. */
static u64 tell_free(const struct row *row, const struct shape *s)
{
	const struct picture *p = row->p;
	u64 from = row->r->base, to = row->r->base + row->r->size;
	char size[32];

	if (s->first && p->extents[s->first - 1].phys + p->extents[s->first - 1].bytes > from)
		from = p->extents[s->first - 1].phys + p->extents[s->first - 1].bytes;
	if (s->first < p->nr_extents && p->extents[s->first].phys < to)
		to = p->extents[s->first].phys;
	printf("%s, %s at %#" PRIx64, free_word(row), size_text(to - from, size), from);
	return to - from;
}

static void draw_free(struct row *row)
{
	char text[64], size[32];
	u64 bytes;

	fputs("<rect class='gap' ", stdout);
	html_place(row, row->last.from, row->last.to);
	printf(" height='%u'><title>", ROW_HEIGHT);
	bytes = tell_free(row, &row->last);
	puts("</title></rect>");
	snprintf(text, sizeof(text), "%s, %s", free_word(row), size_short(bytes, size));
	if (wants_label(row, bytes))
		label(row, "free", text, strlen(text));
}

static void draw_extents(struct row *row)
{
	const struct picture *p = row->p;
	const struct shape *s = &row->last;
	const struct extent *extent = &p->extents[s->first];
	const struct kind *kind = &p->kinds[s->kind];
	char class[8];

	printf("<a href='#e%u-%u' tabindex='-1'><rect ", p->number, p->row[s->first]);
	html_place(row, s->from, s->to);
	if (s->what == SMALL)
		printf(" class='m%u' y='%u' height='%u'><title>", colour_of(kind->owner),
		       ROW_HEIGHT - s->height, s->height);
	else
		printf(" class='%s%s' rx='2' height='%u'><title>", class_of(kind),
		       s->odd ? " odd" : "", ROW_HEIGHT);
	if (s->what == SMALL)
		tell_small(p, s);
	else
		tell_extent(extent);
	puts("</title></rect></a>");
	if (s->what == LARGE && extent->name[0] && wants_label(row, extent->bytes)) {
		snprintf(class, sizeof(class), "i%s", class_of(kind));
		label(row, class, extent->name, html_width(extent->name));
	}
}

void draw_shape(struct row *row)
{
	if (row->last.what == FREE)
		draw_free(row);
	else if (row->last.what != NOTHING)
		draw_extents(row);
	row->last.what = NOTHING;
}
