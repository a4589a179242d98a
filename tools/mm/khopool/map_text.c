// SPDX-License-Identifier: GPL-2.0-only
/* khopool map: a pool in the terminal */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "map.h"

#define LABEL		18	/* columns before the cells of a row */
#define MAX_ROWS	100000

struct terminal {
	bool colour, utf8;
};

static void set_colour(const struct terminal *t, u32 kind, bool whole)
{
	u32 colour = 1 + kind % 6;

	if (t->colour && whole)
		printf("\033[30;%um", 40 + colour);
	else if (t->colour)
		printf("\033[%um", 30 + colour);
}

static void end_colour(const struct terminal *t)
{
	if (t->colour)
		fputs("\033[0m", stdout);
}

static void draw_free(const struct terminal *t)
{
	if (t->colour)
		fputs("\033[2m", stdout);
	fputs(t->utf8 ? "\302\267" : ".", stdout);
	end_colour(t);
}

static void draw_cell(const struct terminal *t, const struct picture *p, const struct cell *c)
{
	bool whole = c->used == c->to - c->from;
	char letter;

	if (!c->used) {
		draw_free(t);
		return;
	}
	letter = p->kinds[c->kind].letter;
	set_colour(t, c->kind, whole);
	putchar(whole ? letter : tolower(letter));
	end_colour(t);
}

static void draw_region(const struct terminal *t, const struct picture *p, const struct region *r)
{
	bool good = !strcmp(r->state, "ok"), more = false;
	struct cell c;
	char size[32];

	printf("%#" PRIx64 ", %s", r->base, size_text(r->size, size));
	if (r->nid >= 0)
		printf(", node %d", r->nid);
	printf("%s%s\n", good ? "" : ", quarantined: ", good ? "" : r->state);
	for (begin_cells(p, r, &c); next_cell(p, r, &c); more = true) {
		if (!c.in_row)
			printf("%s%#*" PRIx64 "  ", more ? "\n" : "", LABEL - 2, c.at);
		if (c.from == c.to)
			putchar(' ');
		else if (!good)
			putchar('!');
		else
			draw_cell(t, p, &c);
	}
	putchar('\n');
}

static void say_owner(const struct kind *kind)
{
	u64 pages = pages_of_owner(kind->owner);
	char size[32];

	fputs(shown(kind->owner), stdout);
	if (pages)
		printf(", exposed with pages of %s", size_text(pages, size));
	if (kind->unclaimed)
		fputs(", unclaimed", stdout);
}

static void draw_legend(const struct terminal *t, const struct picture *p)
{
	char size[32], largest[32];

	for (u32 i = 0; i < p->nr_kinds; i++) {
		const struct kind *kind = &p->kinds[i];

		fputs("  ", stdout);
		set_colour(t, i, true);
		putchar(kind->letter);
		end_colour(t);
		printf("  %s in %" PRIu64 " extent%s of ", size_text(kind->bytes, size),
		       kind->extents, kind->extents == 1 ? "" : "s");
		say_owner(kind);
		putchar('\n');
	}
	fputs("  ", stdout);
	draw_free(t);
	printf("  %s free, %s in one piece\n",
	       size_text(sysfs_number(p->pool, "free_bytes"), size),
	       size_text(sysfs_number(p->pool, "largest_free_bytes"), largest));
	printf("  a cell is %s; small letters are in use in part, by that owner most\n",
	       size_text(p->cell, size));
}

static u32 terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize w;

	if (!ioctl(1, TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	return columns && atoi(columns) > 0 ? atoi(columns) : 80;
}

/* As setlocale() would decide; a static program has no locales. */
static bool utf8_terminal(void)
{
	const char *value = getenv("LC_ALL");

	if (!value || !*value)
		value = getenv("LC_CTYPE");
	if (!value || !*value)
		value = getenv("LANG");
	return value && (strcasestr(value, "utf-8") || strcasestr(value, "utf8"));
}

void map_text(struct picture *p, u64 cell, bool colour)
{
	struct terminal t = { .colour = colour, .utf8 = utf8_terminal() };
	u32 width = terminal_width(), cells = 8;
	char size[32];

	while (2 * cells + LABEL <= width)
		cells *= 2;
	set_scale(p, cell, cells, MAX_ROWS);
	printf("pool %s: %s\n", p->pool, size_text(sysfs_number(p->pool, "size_bytes"), size));
	for (u32 i = 0; i < p->nr_regions; i++)
		draw_region(&t, p, &p->regions[i]);
	draw_legend(&t, p);
}
