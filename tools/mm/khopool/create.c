// SPDX-License-Identifier: GPL-2.0-only
/* khopool create */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "machine.h"

/* What is available, according to sysfs */
static const char *largest_piece(const struct extent *extent, bool strict)
{
	static char text[160];
	char file[48] = "largest_free_bytes", size[32];
	u64 bytes;

	if (strict)
		snprintf(file, sizeof(file), "node%d/largest_free_bytes", extent->nid);
	bytes = sysfs_number(extent->pool, file);
	snprintf(text, sizeof(text), "the largest free piece has %s%s (khopool map)",
		 size_text(bytes, size), bytes < extent->bytes ? "" :
		 ", but not at a multiple of the page size that divides it (--align 4K)");
	return text;
}

static void not_created(const struct extent *extent, u64 align, bool strict, int err)
{
	char size[32], aligned[60] = "", unit[32];

	size_text(extent->bytes, size);
	if (align)
		snprintf(aligned, sizeof(aligned), " at a multiple of %s", size_text(align, unit));
	switch (err) {
	case EEXIST:
		/* Or somebody else is making it right now. */
		refused(err, "%s exists already: take another name, or khopool rm %s",
			full_name(extent), full_name(extent));
	case ENOMEM:
		refused(err, "pool %s has no room for %s%s: %s", extent->pool, size, aligned,
			largest_piece(extent, false));
	case ENOSPC:
		if (strict)
			refused(err, "pool %s has no room for %s%s on node %d: %s", extent->pool,
				size, aligned, extent->nid, largest_piece(extent, true));
		refused(err, "pool %s has no room for another name, or another owner",
			extent->pool);
	default:
		if (err == EINVAL && extent->nid >= 0)
			refused(err, "%s: the kernel refuses the request; is there a node %d?",
				full_name(extent), extent->nid);
		refused(err, "%s cannot be created: %s", full_name(extent), control_error(err));
	}
}

static void check_sizes(u64 bytes, u64 align)
{
	u64 page = sysconf(_SC_PAGESIZE);
	char size[32], unit[32];

	if (!bytes)
		die("SIZE is 0");
	if (bytes % page)
		die("SIZE: %s is not a multiple of the page size, %s", size_text(bytes, size),
		    size_text(page, unit));
	if (align & (align - 1) || (align && align < page))
		die("--align: %s is not a power of two of at least %s", size_text(align, size),
		    size_text(page, unit));
}

static void check_exposable(u64 bytes, u64 align)
{
	u64 unit = align > control_unit() ? align : control_unit();
	char size[32], page[32];

	if (align & (align - 1))
		die("--expose: %s is not a power of two", size_text(align, size));
	if (bytes % unit)
		die("SIZE: %s cannot be exposed%s%s, only multiples of %s can",
		    size_text(bytes, size), align ? " with pages of " : "",
		    align ? size_text(align, page) : "", size_text(unit, page));
}

/* What the command line asks for */
struct wish {
	u64 bytes, align, page;
	int nid;
	bool strict, exposed, if_missing;
	struct node node;
};

static void read_options(struct wish *wish, int argc, char **argv, const char **pool)
{
	static const struct option options[] = {
		{ "align", required_argument, NULL, 'a' },
		{ "node", required_argument, NULL, 'n' },
		{ "strict", no_argument, NULL, 's' },
		{ "pool", required_argument, NULL, 'p' },
		{ "expose", optional_argument, NULL, 'e' },
		{ "if-missing", no_argument, NULL, 'i' },
		{ "owner", required_argument, NULL, NODE_OWNER },
		{ "group", required_argument, NULL, NODE_GROUP },
		{ "mode", required_argument, NULL, NODE_MODE },
		{ "json", no_argument, NULL, 'j' },
		{}
	};
	int opt;

	*wish = (struct wish){ .nid = -1 };
	while ((opt = next_option(&cmd_create, argc, argv, options)) != -1) {
		switch (opt) {
		case 'a':
			wish->align = parse_size("--align", optarg);
			break;
		case 'n':
			wish->nid = parse_number("--node", optarg, 1 << 20);
			break;
		case 's':
			wish->strict = true;
			break;
		case 'p':
			*pool = optarg;
			break;
		case 'e':
			wish->exposed = true;
			wish->page = optarg ? parse_size("--expose", optarg) : 0;
			break;
		case 'i':
			wish->if_missing = true;
			break;
		default:
			node_option(&wish->node, opt, optarg);
		}
	}
	if (wish->strict && wish->nid < 0)
		die("--strict is of use with --node only");
	if (node_is_set(&wish->node) && !wish->exposed)
		die("--owner, --group and --mode are of use with --expose only");
}

/* NULL, or why it is not what is asked for */
static const char *unlike(const struct extent *extent, const struct wish *wish)
{
	static char text[160];
	char size[32], unit[32];

	if (extent->bytes != wish->bytes)
		snprintf(text, sizeof(text), "it has %s", size_text(extent->bytes, size));
	else if (!(extent->flags & KHO_POOL_EXTENT_USER))
		snprintf(text, sizeof(text), "it belongs to \"%s\"", shown(extent->owner));
	else if (wish->strict && extent->nid != wish->nid)
		snprintf(text, sizeof(text), "it is on node %d", extent->nid);
	else if (wish->align && extent->phys % wish->align)
		snprintf(text, sizeof(text), "it does not begin at a multiple of %s",
			 size_text(wish->align, unit));
	else if (wish->page && extent->align && extent->align != wish->page)
		snprintf(text, sizeof(text), "it is exposed with pages of %s",
			 size_text(extent->align, unit));
	else
		return NULL;
	return text;
}

/* Is it there already? */
static bool keep(struct extent *extent, const struct wish *wish)
{
	struct extent old = *extent;
	const char *why;

	if (control_query(&old))
		return false;
	why = unlike(&old, wish);
	if (why)
		refused(EEXIST, "%s exists already, and is not like this: %s", full_name(extent),
			why);
	*extent = old;
	return true;
}

static void expose_new(struct extent *extent, u64 page)
{
	int err = control_expose(extent, page);

	if (err) {
		const char *why = control_expose_error(extent, page, err);

		/* All of it or nothing */
		control_release(extent);
		refused(err, "%s was not created, because it cannot be exposed: %s",
			full_name(extent), why);
	}
	links_follow(extent->pool);
}

static void expose(struct extent *extent, const struct wish *wish, bool kept)
{
	const char *wrong;

	lock_extent(extent);
	if (kept)
		expose_extent(extent, wish->page);
	else
		expose_new(extent, wish->page);
	unlock_extent(extent);
	wrong = node_apply(&wish->node, extent);
	if (wrong)
		fail("%s is exposed, but %s", full_name(extent), wrong);
}

static void report(const struct extent *extent, bool exposed)
{
	char size[32], path[40], link[160];

	if (as_json) {
		json_extent(extent);
		return;
	}
	printf("%s: %s", full_name(extent), size_text(extent->bytes, size));
	if (extent->nid >= 0)
		printf(", node %d", extent->nid);
	if (exposed)
		printf(", %s, %s", link_path(extent, link), device_path(extent, path));
	putchar('\n');
}

static int create(int argc, char **argv)
{
	const char *pool = NULL;
	struct extent extent;
	struct wish wish;
	bool kept;
	int err;

	read_options(&wish, argc, argv, &pool);
	operands(&cmd_create, argc, &argv, 2, 2);
	wish.bytes = parse_size("SIZE", argv[1]);
	check_sizes(wish.bytes, wish.align);
	if (wish.exposed)
		check_exposable(wish.bytes, wish.page);
	/* It has to begin at a multiple of that page size, as it does by default. */
	if (wish.align && wish.align < wish.page)
		wish.align = wish.page;
	name_extent(&extent, argv[0], pool);
	extent.bytes = wish.bytes;
	extent.nid = wish.nid;
	kept = wish.if_missing && keep(&extent, &wish);
	if (!kept) {
		err = control_create(&extent, wish.align, wish.strict);
		/* Someone else may have been faster. */
		if (err == EEXIST && wish.if_missing)
			kept = keep(&extent, &wish);
		if (err && !kept)
			not_created(&extent, wish.align, wish.strict, err);
	}
	if (wish.exposed)
		expose(&extent, &wish, kept);
	query_extent(&extent);
	report(&extent, wish.exposed);
	return EXIT_OK;
}

const struct command cmd_create = {
	.name = "create",
	.args = "NAME SIZE [--align A] [--node N [--strict]] [--expose[=PAGE] [--owner USER]\n"
		"	[--group GROUP] [--mode MODE]] [--if-missing] [--pool P] [--json]",
	.what = "make an extent: contiguous memory that stays until it is removed",
	.help =	"Makes an extent of cleared memory.  It stays over any number of kexecs, until\n"
		"khopool rm.  SIZE is such as 4G, 512M or 64K.\n\n"
		"  --align A        begin at a multiple of this, a power of two; by default of\n"
		"                   the largest page size that divides SIZE\n"
		"  --node N         on this NUMA node if there is room\n"
		"  --strict         only on that node\n"
		"  --expose[=PAGE]  also make a device of it, see khopool expose, to be mapped\n"
		"                   with pages of this size\n"
		NODE_HELP
		"  --if-missing     if there is one of this name and like this, keep it\n"
		"  --pool P         in this pool; also written P/NAME.  Required if there are\n"
		"                   several pools\n"
		"  --json           what was made, for programs\n",
	.run = create,
};
