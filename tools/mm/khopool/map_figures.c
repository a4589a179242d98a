// SPDX-License-Identifier: GPL-2.0-only
/* khopool map --format=html: how full a pool is, and its part on each node */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "map.h"

#define MAX_NODES 1024

struct figures {
	u64 size, free, largest, quarantined, bad_frames, extents, unclaimed;
	u64 used;			/* by extents */
	u64 bad;			/* not in use, but not free either */
	u64 by_kind[MAX_KINDS];
};

/* What is in regions of the node, or, without one, in all */
static void add_up(struct figures *f, const struct picture *p, int nid)
{
	for (u32 i = 0; i < p->nr_extents; i++) {
		const struct extent *extent = &p->extents[i];
		const struct region *r = region_of(p, extent);

		if (nid >= 0 && (!r || r->nid != nid))
			continue;
		f->used += extent->bytes;
		f->by_kind[kind_of(p, extent)] += extent->bytes;
	}
}

/* @folder: that of the pool, or that of node @nid in it */
static void read_figures(struct figures *f, const struct picture *p, const char *folder, int nid)
{
	u64 rest;

	memset(f, 0, sizeof(*f));
	add_up(f, p, nid);
	f->size = sysfs_number(folder, "size_bytes");
	f->free = sysfs_number(folder, "free_bytes");
	f->largest = sysfs_number(folder, "largest_free_bytes");
	f->quarantined = sysfs_number(folder, "quarantined_bytes");
	f->bad_frames = sysfs_number(folder, "bad_frames");
	f->extents = sysfs_number(folder, "extents");
	f->unclaimed = sysfs_number(folder, "unclaimed");
	/* The kernel does not say how much memory errors take away: it is what remains. */
	rest = f->free + f->quarantined + f->used;
	f->bad = f->bad_frames && f->size > rest ? f->size - rest : 0;
}

static double percent(u64 part, u64 whole)
{
	return whole ? part * 100.0 / whole : 0;
}

/* Returns where it ends. */
static double segment(double at, const char *class, u64 part, u64 whole)
{
	double width = percent(part, whole);

	if (part)
		printf("<rect class='%s' x='%.5g%%' width='%.5g%%' height='100%%'><title>",
		       class, at, width);
	return part ? at + width : at;
}

static void end_segment(u64 part, const char *what)
{
	char size[32];

	if (!part)
		return;
	html_text(what);
	printf(": %s</title></rect>", size_short(part, size));
}

static void draw_bar(const struct picture *p, const struct figures *f)
{
	double at = 0;

	printf("<svg class='bar' role='img' aria-label='%u %% in use'>\n",
	       (u32)percent(f->used, f->size));
	puts("<rect class='track' width='100%' height='100%'/>");
	for (u32 i = 0; i < p->nr_kinds; i++) {
		at = segment(at, class_of(&p->kinds[i]), f->by_kind[i], f->size);
		end_segment(f->by_kind[i], p->kinds[i].owner);
	}
	at = segment(at, "bad", f->bad, f->size);
	end_segment(f->bad, "lost to memory errors");
	at = segment(at, "quarantined", f->quarantined, f->size);
	end_segment(f->quarantined, "quarantined");
	segment(at, "gap", f->free, f->size);
	end_segment(f->free, "free");
	puts("</svg>");
}

static void figure(const char *what, u64 bytes, u64 whole, bool wrong)
{
	char size[32];

	printf("<div%s><dt>%s</dt><dd>%s", wrong ? " class='wrong'" : "", what,
	       size_short(bytes, size));
	if (whole)
		printf(" <small>%u %%</small>", (u32)percent(bytes, whole));
	puts("</dd></div>");
}

static void list_figures(const struct figures *f)
{
	char size[32];

	puts("<dl>");
	figure("Size", f->size, 0, false);
	figure("In use", f->used, f->size, false);
	figure("Free", f->free, f->size, false);
	figure("Largest free", f->largest, 0, false);
	figure("Quarantined", f->quarantined, 0, f->quarantined);
	printf("<div><dt>Extents</dt><dd>%" PRIu64, f->extents);
	if (f->unclaimed)
		printf(" <small>%" PRIu64 " unclaimed</small>", f->unclaimed);
	puts("</dd></div>");
	if (f->bad_frames) {
		printf("<div class='wrong'><dt>Memory errors</dt><dd>%" PRIu64 " <small>page%s",
		       f->bad_frames, f->bad_frames == 1 ? "" : "s");
		printf(", %s lost</small></dd></div>\n", size_short(f->bad, size));
	}
	puts("</dl>");
}

static void html_node(const struct picture *p, u32 nid, struct figures *f)
{
	char folder[64];

	snprintf(folder, sizeof(folder), "%s/node%u", p->pool, nid);
	read_figures(f, p, folder, nid);
	printf("<div class='node'><h3>Node %u</h3>", nid);
	draw_bar(p, f);
	list_figures(f);
	puts("</div>");
}

void html_figures(const struct picture *p)
{
	static struct figures f;
	u32 node[MAX_REGIONS], nr = 0;
	char path[96];

	read_figures(&f, p, p->pool, -1);
	draw_bar(p, &f);
	list_figures(&f);
	for (u32 nid = 0; nid < MAX_NODES && nr < MAX_REGIONS; nid++) {
		snprintf(path, sizeof(path), SYSFS_POOLS "/%s/node%u", p->pool, nid);
		if (!access(path, F_OK))
			node[nr++] = nid;
	}
	/* One node has what the pool has. */
	if (nr < 2)
		return;
	puts("<div class='nodes'>");
	for (u32 i = 0; i < nr; i++)
		html_node(p, node[i], &f);
	puts("</div>");
}
