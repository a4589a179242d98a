// SPDX-License-Identifier: GPL-2.0-only
/*
 * khopool map --format=html: a document for people, which needs no other file.
 *
 * It is well-formed XML, too, so that tests can read it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "map.h"

#define CELLS		256	/* in a row */
#define MAX_ROWS	2000

/* A state with a sign in front, as some do not see its colour */
static void html_state(const char *state)
{
	static const struct {
		const char *class, *sign;
	} signs[] = {
		{ "good", "M2.5 6.5 5 9 9.5 3.5" },
		{ "warning", "M6 2v5M6 9v1.2" },
		{ "wrong", "M3 3l6 6M9 3l-6 6" },
	};
	u32 i = 1;

	if (!strcmp(state, "active") || !strcmp(state, "sealed"))
		i = 0;
	else if (!strncmp(state, "quarantined", 11) || !strncmp(state, "disabled", 8))
		i = 2;
	printf("<span class='state %s'><svg viewBox='0 0 12 12'><path d='%s'/></svg>",
	       signs[i].class, signs[i].sign);
	html_text(state);
	puts("</span>");
}

static void read_state(char *state, u32 size, const char *file)
{
	if (!sysfs_text(state, size, SYSFS_POOLS "/%s", file))
		copy_text(state, "unknown", size);
}

/* For each colour an extent that nobody has claimed, and small ones; 0 is that of no owner. */
static void html_patterns(void)
{
	puts("<svg class='patterns' aria-hidden='true'><defs>");
	for (u32 i = 0; i <= COLOURS; i++) {
		printf("<pattern id='u%u' patternTransform='rotate(45)'\n", i);
		puts("width='7' height='7' patternUnits='userSpaceOnUse'>");
		printf("<rect class='c%u' width='7' height='7'/>\n", i);
		puts("<rect class='veil' width='3' height='7'/></pattern>");
		printf("<pattern id='m%u'\n", i);
		puts("width='4' height='4' patternUnits='userSpaceOnUse'>");
		printf("<rect class='c%u' width='4' height='4'/>\n", i);
		puts("<path class='mesh' d='M0 .5h4M.5 0v4'/></pattern>");
	}
	puts("<pattern id='quarantine' width='10' height='10' patternUnits='userSpaceOnUse'\n"
	     "patternTransform='rotate(-45)'><rect class='q1' width='10' height='10'/>\n"
	     "<rect class='q2' width='5' height='10'/></pattern>\n"
	     "<pattern id='lost' width='6' height='6' patternUnits='userSpaceOnUse'>\n"
	     "<rect class='q1' width='6' height='6'/>\n"
	     "<path class='q3' d='M0 0l6 6M6 0l-6 6'/></pattern>\n</defs></svg>");
}

static void html_figure(const char *what, const char *text)
{
	printf("<div><dt>%s</dt><dd>", what);
	html_text(text);
	puts("</dd></div>");
}

static void html_head(const char *host)
{
	puts("<!DOCTYPE html>\n"
	     "<html lang='en' xmlns='http://www.w3.org/1999/xhtml'>\n<head>\n"
	     "<meta charset='utf-8'/>\n"
	     "<meta name='viewport' content='width=device-width, initial-scale=1'/>\n"
	     "<meta name='color-scheme' content='light dark'/>\n"
	     /* Nothing is run or loaded, whatever names are like. */
	     "<meta http-equiv='Content-Security-Policy'\n"
	     "content=\"default-src 'none'; style-src 'unsafe-inline'\"/>");
	fputs("<title>Pools of ", stdout);
	html_text(host);
	printf("</title>\n<style>\n%s</style>\n</head>\n<body>\n", html_style);
}

void html_begin(const struct pools *pools)
{
	const char *first = pools->name[0];
	u64 generation = sysfs_number(first, "generation");
	struct utsname host;
	time_t now = time(NULL);
	char text[160];

	uname(&host);
	html_head(host.nodename);
	html_patterns();
	fputs("<header>\n<p>Memory that survives kexec</p>\n<h1>", stdout);
	html_text(host.nodename);
	puts("</h1>\n<dl>");
	html_figure("Kernel", host.release);
	fputs("<div><dt>Handover</dt><dd>", stdout);
	read_state(text, sizeof(text), "handover");
	html_state(text);
	puts("</dd></div>");
	snprintf(text, sizeof(text), "%" PRIu64, generation);
	html_figure("Generation", text);
	snprintf(text, sizeof(text), "%" PRIu64 " us", sysfs_number(first, "restore_ns") / 1000);
	/* The first pools were not taken over. */
	if (generation)
		html_figure("Taken over in", text);
	strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S UTC", gmtime(&now));
	html_figure("As of", text);
	puts("</dl>\n</header>\n<main>");
}

static void legend_entry(const char *class, const char *text)
{
	fputs("<li>", stdout);
	html_swatch(class);
	html_text(text);
}

static void draw_legend(const struct picture *p)
{
	bool small = false, quarantined = false, bad = false;
	char size[32];

	puts("<ul class='legend'>");
	for (u32 i = 0; i < p->nr_kinds; i++) {
		const struct kind *kind = &p->kinds[i];
		u64 pages = pages_of_owner(kind->owner);

		legend_entry(class_of(kind), kind->owner);
		if (kind->unclaimed)
			fputs(", unclaimed", stdout);
		printf(" <small>%s in %" PRIu64 " extent%s", size_short(kind->bytes, size),
		       kind->extents, kind->extents == 1 ? "" : "s");
		if (pages)
			printf(", pages of %s", size_text(pages, size));
		puts("</small></li>");
	}
	for (u32 i = 0; i < p->nr_extents; i++)
		small |= p->extents[i].bytes < p->cell;
	for (u32 i = 0; i < p->nr_regions; i++) {
		quarantined |= strcmp(p->regions[i].state, "ok");
		bad |= p->bad_frames[i];
	}
	legend_entry("track", "free");
	puts("</li>");
	if (small) {
		legend_entry("m0", "small extents");
		printf(" <small>together for each %s, as high as they fill it</small></li>\n",
		       size_text(p->cell, size));
	}
	if (bad) {
		legend_entry("bad", "memory errors");
		puts(" <small>in bars only: where they are is not known here</small></li>");
	}
	if (quarantined) {
		legend_entry("quarantined", "quarantined");
		puts(" <small>out of use</small></li>");
	}
	puts("</ul>");
}

void map_html(struct picture *p, u64 cell)
{
	char file[48], state[160], size[32];

	set_scale(p, cell, CELLS, MAX_ROWS);
	plan_table(p);
	snprintf(file, sizeof(file), "%s/state", p->pool);
	read_state(state, sizeof(state), file);
	fputs("<section>\n<h2>", stdout);
	html_text(p->pool);
	printf(" <small>%s</small> ", size_text(sysfs_number(p->pool, "size_bytes"), size));
	html_state(state);
	puts("</h2>");
	html_figures(p);
	for (u32 i = 0; i < p->nr_regions; i++)
		html_region(p, &p->regions[i]);
	draw_legend(p);
	html_table(p);
	puts("</section>");
	free(p->row);
}

void html_end(void)
{
	puts("</main>\n</body>\n</html>");
}
