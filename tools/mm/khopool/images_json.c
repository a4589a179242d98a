// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contents of images, for programs.  Addresses and sums are strings in hex,
 * because not every reader supports 64-bit numbers; sizes are numbers of bytes.
 */
#include <libfdt.h>

#include "khopool.h"

/* Properties are bytes in hex; nodes are objects, under a key that no property has. */
static void json_node(const void *fdt, int node)
{
	int property, child;

	fdt_for_each_property_offset(property, fdt, node) {
		const char *name;
		int len;
		const u8 *value = fdt_getprop_by_offset(fdt, property, &name, &len);

		if (!value)
			break;
		json_key(name);
		putchar('"');
		for (int i = 0; i < len; i++)
			printf("%02x", value[i]);
		putchar('"');
	}
	fdt_for_each_subnode(child, fdt, node) {
		char name[80];

		/* A deeper tree is not shown in full. */
		if (json_depth() + 2 >= JSON_DEPTH)
			break;
		snprintf(name, sizeof(name), "%s/", fdt_get_name(fdt, child, NULL) ?: "?");
		json_begin(name, '{');
		json_node(fdt, child);
		json_end('}');
	}
}

static void json_region(const struct kp_root *root, const struct kp_root_region *r)
{
	json_begin(NULL, '{');
	json_hex("base", r->base);
	json_number("size", r->size);
	json_hex("index", r->index);
	json_number("index_size", r->index_size);
	if (root->sealed)
		json_hex("sum", r->csum);
	if (r->nid != ~0U)
		json_number("node", r->nid);
	json_string("state", region_states[r->state]);
	json_end('}');
}

static void json_good_root(const struct kp_root *root)
{
	json_number("generation", root->generation);
	json_number("page_size", root->frame_size);
	json_bool("sealed", root->sealed);
	if (root->sealed)
		json_number("seal_ns", root->seal_ns);
	json_hex("ro_compat", root->ro_compat);
	json_hex("compat", root->compat);
	json_begin("pools", '[');
	for (u32 pool = 0; pool < root->nr_pools; pool++) {
		json_begin(NULL, '{');
		json_string("name", root->pool_name[pool]);
		json_begin("regions", '[');
		for (u32 i = 0; i < root->nr_regions; i++)
			if (root->region[i].pool == pool)
				json_region(root, &root->region[i]);
		json_end(']');
		json_end('}');
	}
	json_end(']');
}

static void json_root(const struct root_image *image)
{
	json_begin("root", '{');
	json_string("file", image->blob.name);
	if (!image->wrong) {
		json_good_root(&image->root);
	} else {
		json_string("wrong", image->wrong);
		if (tree_good(image->blob.data, KHO_POOL_ROOT_CSUM)) {
			json_begin("tree", '{');
			json_node(image->blob.data, 0);
			json_end('}');
		}
	}
	if (image->keep_good) {
		json_begin("keep", '[');
		for (u32 i = 0; i < image->keep.nr; i++) {
			json_begin(NULL, '{');
			json_hex("base", image->keep.range[i].base);
			json_number("size", image->keep.range[i].size);
			json_bool("pool", image->keep.range[i].flags & KHO_POOL_KEEP_POOL);
			json_end('}');
		}
		json_end(']');
	} else if (image->keep_page) {
		json_string("keep_wrong", "keep list is damaged");
	}
	json_end('}');
}

static void json_index(const struct index_image *image)
{
	const struct kho_pool_index_header *h = (void *)image->blob.data;
	struct kp_index idx = image->idx;
	char pool[KHO_POOL_POOL_NAME_MAX + 1] = {};
	struct kp_extent ext;
	u64 pos = 0;

	json_begin(NULL, '{');
	json_string("file", image->blob.name);
	if (image->wrong) {
		json_string("wrong", image->wrong);
		json_end('}');
		return;
	}
	memcpy(pool, h->pool, sizeof(h->pool));
	json_string("pool", pool);
	json_hex("base", image->base << image->frame_shift);
	json_number("size", image->frames << image->frame_shift);
	json_number("page_size", 1ULL << image->frame_shift);
	json_number("used", kp_index_used(&idx) << image->frame_shift);
	json_begin("extents", '[');
	while (next_extent(&idx, &pos, &ext)) {
		json_begin(NULL, '{');
		json_hex("base", (image->base + ext.frame) << image->frame_shift);
		json_number("size", ext.frames << image->frame_shift);
		json_string("owner", idx.owners[ext.owner].name);
		if (ext.name[0])
			json_string("name", ext.name);
		json_end('}');
	}
	json_end(']');
	if (idx.nr_bad) {
		json_begin("bad", '[');
		for (pos = 0; kp_bad_next(&idx, &pos); pos++)
			json_hex(NULL, (image->base + pos) << image->frame_shift);
		json_end(']');
		json_bool("more_bad", idx.all_bad);
	}
	json_end('}');
}

void json_images(const struct images *images)
{
	json_begin(NULL, '{');
	if (images->tree.data) {
		json_begin("kho", '{');
		json_node(images->tree.data, 0);
		json_end('}');
	}
	if (images->root)
		json_root(images->root);
	json_begin("indexes", '[');
	for (u32 i = 0; i < images->nr_indexes; i++)
		json_index(&images->index[i]);
	json_end(']');
	json_end('}');
	putchar('\n');
}
