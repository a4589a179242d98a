// SPDX-License-Identifier: GPL-2.0-only
/* khopool map: a picture of pools in the terminal */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "machine.h"

#define MAX_REGIONS	60
#define MAX_KINDS	128	/* owners, with those of unclaimed extents */
#define LABEL		18	/* columns before the cells of a row */
#define ROWS		16	/* per pool, by default */

/* Extents that look the same: an owner's, claimed or not */
struct kind {
	const char *owner;
	bool unclaimed;
	char letter;
	u64 extents, bytes;
};

struct picture {
	const char *pool;
	struct extent *extents;
	struct region regions[MAX_REGIONS];
	struct kind kinds[MAX_KINDS];
	u32 nr_extents, nr_regions, nr_kinds;
	u64 cell;		/* bytes */
	u32 cells;		/* in a row */
	bool colour, utf8;
};

static u32 kind_of(struct picture *p, const struct extent *extent)
{
	bool unclaimed = extent->flags & KHO_POOL_EXTENT_UNCLAIMED;
	u32 i;

	for (i = 0; i < p->nr_kinds; i++)
		if (p->kinds[i].unclaimed == unclaimed && !strcmp(p->kinds[i].owner, extent->owner))
			return i;
	if (i == MAX_KINDS)
		return i - 1;
	p->kinds[i] = (struct kind){ .owner = extent->owner, .unclaimed = unclaimed };
	p->nr_kinds++;
	return i;
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

static void count_kinds(struct picture *p)
{
	for (u32 i = 0; i < p->nr_extents; i++) {
		struct kind *kind = &p->kinds[kind_of(p, &p->extents[i])];

		kind->extents++;
		kind->bytes += p->extents[i].bytes;
	}
	for (u32 i = 0; i < p->nr_kinds; i++)
		p->kinds[i].letter = letter_for(p, p->kinds[i].owner);
}

static void set_colour(const struct picture *p, u32 kind, bool whole)
{
	u32 colour = 1 + kind % 6;

	if (p->colour && whole)
		printf("\033[30;%um", 40 + colour);
	else if (p->colour)
		printf("\033[%um", 30 + colour);
}

static void end_colour(const struct picture *p)
{
	if (p->colour)
		fputs("\033[0m", stdout);
}

static void draw_free(const struct picture *p)
{
	if (p->colour)
		fputs("\033[2m", stdout);
	fputs(p->utf8 ? "\302\267" : ".", stdout);
	end_colour(p);
}

/* @used: of each kind, in these @size bytes */
static void draw_cell(const struct picture *p, const u64 *used, u64 size)
{
	u64 all = 0, most = 0;
	u32 kind = 0;

	for (u32 i = 0; i < p->nr_kinds; i++) {
		all += used[i];
		if (used[i] > most) {
			most = used[i];
			kind = i;
		}
	}
	if (!all) {
		draw_free(p);
		return;
	}
	set_colour(p, kind, all == size);
	putchar(all == size ? p->kinds[kind].letter : tolower(p->kinds[kind].letter));
	end_colour(p);
}

/* How many of its bytes are in the cell that begins at @from */
static u64 part_in(const struct extent *extent, u64 from, u64 to)
{
	u64 end = extent->phys + extent->bytes;

	if (extent->phys > from)
		from = extent->phys;
	if (end < to)
		to = end;
	return to > from ? to - from : 0;
}

static void draw_region(struct picture *p, const struct region *r)
{
	bool good = !strcmp(r->state, "ok");
	u64 end = r->base + r->size, at;
	u64 used[MAX_KINDS];
	char size[32];
	u32 first = 0;

	printf("%#" PRIx64 ", %s", r->base, size_text(r->size, size));
	if (r->nid >= 0)
		printf(", node %d", r->nid);
	printf("%s%s\n", good ? "" : ", quarantined: ", good ? "" : r->state);
	/* Rows begin with round addresses. */
	at = r->base / (p->cell * p->cells) * (p->cell * p->cells);
	for (u32 i = 0; at < end; i++, at += p->cell) {
		u64 from = at < r->base ? r->base : at;
		u64 to = at + p->cell < end ? at + p->cell : end;

		if (i % p->cells == 0)
			printf("%s%#*" PRIx64 "  ", i ? "\n" : "", LABEL - 2, at);
		if (at + p->cell <= r->base) {
			putchar(' ');
			continue;
		}
		if (!good) {
			putchar('!');
			continue;
		}
		memset(used, 0, sizeof(used));
		/* Extents come in the order of their addresses. */
		while (first < p->nr_extents &&
		       p->extents[first].phys + p->extents[first].bytes <= from)
			first++;
		for (u32 e = first; e < p->nr_extents && p->extents[e].phys < to; e++)
			used[kind_of(p, &p->extents[e])] += part_in(&p->extents[e], from, to);
		draw_cell(p, used, to - from);
	}
	putchar('\n');
}

/* "dax21" has those that are mapped with pages of 2 MiB. */
static void say_owner(const struct kind *kind)
{
	char size[32], *end;
	u32 shift;

	fputs(shown(kind->owner), stdout);
	if (!strncmp(kind->owner, "dax", 3)) {
		shift = strtoul(kind->owner + 3, &end, 10);
		if (end != kind->owner + 3 && !*end && shift >= 12 && shift < 64)
			printf(", exposed with pages of %s", size_text(1ULL << shift, size));
	}
	if (kind->unclaimed)
		fputs(", unclaimed", stdout);
}

static void draw_legend(const struct picture *p)
{
	char size[32], largest[32];

	for (u32 i = 0; i < p->nr_kinds; i++) {
		const struct kind *kind = &p->kinds[i];

		fputs("  ", stdout);
		set_colour(p, i, true);
		putchar(kind->letter);
		end_colour(p);
		printf("  %s in %" PRIu64 " extent%s of ", size_text(kind->bytes, size),
		       kind->extents, kind->extents == 1 ? "" : "s");
		say_owner(kind);
		putchar('\n');
	}
	fputs("  ", stdout);
	draw_free(p);
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

static u64 rows_of(const struct picture *p, u64 cell)
{
	u64 rows = 0, row = cell * p->cells;

	for (u32 i = 0; i < p->nr_regions; i++) {
		const struct region *r = &p->regions[i];

		rows += (r->base + r->size + row - 1) / row - r->base / row;
	}
	return rows;
}

/* Such that the picture fits: rows as wide as the terminal, and not too many of them */
static void set_scale(struct picture *p, u64 cell)
{
	u32 width = terminal_width();
	u32 most = ROWS > 2 * p->nr_regions ? ROWS : 2 * p->nr_regions;

	p->cells = 8;
	while (2 * p->cells + LABEL <= width)
		p->cells *= 2;
	p->cell = cell ?: (u64)sysconf(_SC_PAGESIZE);
	while (!cell && rows_of(p, p->cell) > most)
		p->cell *= 2;
	if (rows_of(p, p->cell) > 100000)
		die("--cell: that would be %" PRIu64 " rows", rows_of(p, p->cell));
}

static void map_text(struct picture *p, u64 cell)
{
	char size[32];

	count_kinds(p);
	set_scale(p, cell);
	printf("pool %s: %s\n", p->pool, size_text(sysfs_number(p->pool, "size_bytes"), size));
	for (u32 i = 0; i < p->nr_regions; i++)
		draw_region(p, &p->regions[i]);
	draw_legend(p);
}

static void map_json(const struct picture *p)
{
	json_begin(NULL, '{');
	json_string("pool", p->pool);
	json_number("size", sysfs_number(p->pool, "size_bytes"));
	json_number("free", sysfs_number(p->pool, "free_bytes"));
	json_begin("regions", '[');
	for (u32 i = 0; i < p->nr_regions; i++) {
		const struct region *r = &p->regions[i];

		json_begin(NULL, '{');
		json_hex("base", r->base);
		json_number("size", r->size);
		if (r->nid >= 0)
			json_number("node", r->nid);
		json_string("state", r->state);
		json_begin("extents", '[');
		for (u32 e = 0; e < p->nr_extents; e++)
			if (p->extents[e].phys - r->base < r->size)
				json_extent(&p->extents[e]);
		json_end(']');
		json_end('}');
	}
	json_end(']');
	json_end('}');
}

static int by_phys(const void *a, const void *b)
{
	const struct extent *x = a, *y = b;

	return (x->phys > y->phys) - (x->phys < y->phys);
}

static void read_pool(struct picture *p, const char *pool)
{
	p->pool = pool;
	p->nr_kinds = 0;
	p->nr_regions = sysfs_regions(pool, p->regions, MAX_REGIONS);
	if (!p->nr_regions)
		fail("pool %s: this kernel does not say where its regions are", pool);
	p->extents = control_list(pool, &p->nr_extents);
	if (p->nr_extents && !p->extents[0].phys)
		fail("pool %s: the kernel tells where extents are to root only", pool);
	qsort(p->extents, p->nr_extents, sizeof(*p->extents), by_phys);
}

static bool parse_colour(const char *when)
{
	if (!strcmp(when, "always"))
		return true;
	if (strcmp(when, "never"))
		die("--color: \"%s\" is neither always nor never", when);
	return false;
}

static int map(int argc, char **argv)
{
	static const struct option options[] = {
		{ "cell", required_argument, NULL, 'c' },
		{ "color", required_argument, NULL, 'C' },
		{ "pool", required_argument, NULL, 'p' },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	const char *pool = NULL, *no_colour = getenv("NO_COLOR");
	static struct picture p;
	struct pools pools;
	u64 cell = 0;
	int opt;

	p.colour = isatty(1) && (!no_colour || !*no_colour);
	p.utf8 = utf8_terminal();
	while ((opt = next_option(&cmd_map, argc, argv, options)) != -1) {
		switch (opt) {
		case 'c':
			cell = parse_size("--cell", optarg);
			if (!cell || cell & (cell - 1) || cell < (u64)sysconf(_SC_PAGESIZE) ||
			    cell >> 48)
				die("--cell: %s is not a power of two of at least a page", optarg);
			break;
		case 'C':
			p.colour = parse_colour(optarg);
			break;
		case 'p':
			pool = optarg;
		}
	}
	operands(&cmd_map, argc, &argv, 0, 0);
	select_pools(&pools, pool);
	if (as_json)
		json_open_list("pools");
	for (u32 i = 0; i < pools.nr; i++) {
		read_pool(&p, pools.name[i]);
		if (as_json)
			map_json(&p);
		else
			map_text(&p, cell);
		free(p.extents);
	}
	if (as_json)
		json_close_list();
	return EXIT_OK;
}

const struct command cmd_map = {
	.name = "map",
	.args = "[--cell SIZE] [--color=always|never] [--pool POOL] [--json]",
	.what = "draw a picture of the pools",
	.help =	"Draws each region of the pools as rows of cells, in the order of addresses.  A\n"
		"letter stands for an owner, a dot is free.  Colours are used if stdout is a\n"
		"terminal and NO_COLOR is not set.\n\n"
		"  --cell SIZE           size of a cell; by default such that a pool takes up to\n"
		"                        16 rows\n"
		"  --color=always|never  use colours or not, wherever the output goes\n"
		"  --pool POOL           only this pool\n"
		"  --json                for programs: regions, and the extents in each\n",
	.run = map,
};
