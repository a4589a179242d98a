// SPDX-License-Identifier: GPL-2.0-only
/* A tree of KHO that no kernel has made. */
#include <libfdt.h>

#include "load.h"

#define OUT	"/sys/kernel/debug/kho/out/fdt"

/*
 * It preserves nothing: its map of preserved memory, which is to be at @map, is a
 * page of zeroes.  It has kho_pool's subtree, and nothing in that.  Only the version
 * of KHO that reads it is taken from this kernel, unless $KHO_VERSION is set.
 */
struct blob made_up_tree(uint64_t map)
{
	struct blob tree = { .size = 2048 };
	const char *version = getenv("KHO_VERSION");
	int err;

	if (!version)
		version = fdt_getprop(read_file(OUT).data, 0, "compatible", NULL);

	tree.data = calloc(1, tree.size);
	err = fdt_create(tree.data, tree.size);
	err = err ? err : fdt_finish_reservemap(tree.data);
	err = err ? err : fdt_begin_node(tree.data, "");
	err = err ? err : fdt_property_string(tree.data, "compatible", version ? version : "");
	/* Numbers are the machine's own, not those of a device tree. */
	err = err ? err : fdt_property(tree.data, "preserved-memory-map", &map, sizeof(map));
	err = err ? err : fdt_begin_node(tree.data, "kho_pool");
	err = err ? err : fdt_end_node(tree.data);
	err = err ? err : fdt_end_node(tree.data);
	err = err ? err : fdt_finish(tree.data);
	if (err) {
		fprintf(stderr, "tree: %s\n", fdt_strerror(err));
		exit(1);
	}
	return tree;
}
