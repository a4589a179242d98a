// SPDX-License-Identifier: GPL-2.0-only
/* The contents of images, for people. */
#include <inttypes.h>

#include <libfdt.h>

#include "khopool.h"

const char *const region_states[KHO_POOL_REGION_STATES] = {
	[KHO_POOL_REGION_OK] = "ok",
	[KHO_POOL_REGION_BAD_HEADER] = "index header is damaged",
	[KHO_POOL_REGION_BAD_SUM] = "index is not what was sealed",
	[KHO_POOL_REGION_BAD_INDEX] = "index contradicts itself",
	[KHO_POOL_REGION_UNREAD] = "not read for lack of memory",
};

static void text_value(const void *value, int len)
{
	const u8 *p = value;
	bool string = len > 1 && !p[len - 1];

	for (int i = 0; i < len - 1; i++)
		string &= p[i] >= ' ' && p[i] < 0x7f;
	if (string) {
		printf("\"%s\"", (const char *)value);
		return;
	}
	for (int i = 0; i < len; i++)
		printf("%s%02x", i && i % 8 == 0 ? " " : "", p[i]);
}

/* Any tree that tree_good() has seen. */
static void text_tree(const void *fdt)
{
	int depth = -1, offset, property;

	for (offset = fdt_next_node(fdt, -1, &depth); offset >= 0 && depth >= 0;
	     offset = fdt_next_node(fdt, offset, &depth)) {
		const char *name = fdt_get_name(fdt, offset, NULL);

		printf("  %*s%s/\n", 2 * depth, "", shown(name ?: "?"));
		fdt_for_each_property_offset(property, fdt, offset) {
			const char *key;
			int len;
			const void *value = fdt_getprop_by_offset(fdt, property, &key, &len);

			if (!value)
				break;
			printf("  %*s  %s = ", 2 * depth, "", shown(key));
			text_value(value, len);
			putchar('\n');
		}
	}
}

static void text_regions(const struct kp_root *root, u32 pool)
{
	char size[32], index[32];

	for (u32 i = 0; i < root->nr_regions; i++) {
		const struct kp_root_region *r = &root->region[i];

		if (r->pool != pool)
			continue;
		printf("  region %u: %#" PRIx64 ", %s, ", i, r->base, size_text(r->size, size));
		if (r->nid == ~0U)
			printf("no node");
		else
			printf("node %u", r->nid);
		printf(", index %#" PRIx64 " (%s), ", r->index, size_text(r->index_size, index));
		if (root->sealed)
			printf("sum %016" PRIx64 ", ", r->csum);
		puts(region_states[r->state]);
	}
}

static void text_root(const struct root_image *image)
{
	const struct kp_root *root = &image->root;
	char size[32];

	if (image->wrong) {
		printf("%s: cannot be used: %s\n", image->blob.name, image->wrong);
		if (tree_good(image->blob.data, KHO_POOL_ROOT_CSUM))
			text_tree(image->blob.data);
	} else {
		printf("%s: %s, generation %" PRIu64 ", pages of %s, ", image->blob.name,
		       KHO_POOL_COMPATIBLE, root->generation,
		       size_text(root->frame_size, size));
		if (root->sealed)
			printf("sealed in %" PRIu64 " us\n", root->seal_ns / 1000);
		else
			puts("not sealed");
		if (root->ro_compat & ~KHO_POOL_RO_COMPAT_KNOWN)
			printf("  read-only: unknown features %#" PRIx64 "\n", root->ro_compat);
		for (u32 i = 0; i < root->nr_pools; i++) {
			printf("pool \"%s\"\n", shown(root->pool_name[i]));
			text_regions(root, i);
		}
	}
	if (!image->keep_page)
		return;
	if (!image->keep_good) {
		puts("keep list: damaged");
		return;
	}
	printf("keep list: %u ranges\n", image->keep.nr);
	for (u32 i = 0; i < image->keep.nr; i++)
		printf("  %#" PRIx64 ", %s%s\n", image->keep.range[i].base,
		       size_text(image->keep.range[i].size, size),
		       image->keep.range[i].flags & KHO_POOL_KEEP_POOL ? ", pool memory" : "");
}

static void text_index(const struct index_image *image)
{
	const struct kho_pool_index_header *h = (void *)image->blob.data;
	/* Reading takes locks, which are volatile. */
	struct kp_index idx = image->idx;
	char pool[KHO_POOL_POOL_NAME_MAX + 1] = {};
	struct kp_extent ext;
	char size[32];
	u64 pos = 0;

	if (image->wrong) {
		printf("%s: cannot be used: %s (khopool verify says more)\n", image->blob.name,
		       image->wrong);
		return;
	}
	memcpy(pool, h->pool, sizeof(h->pool));
	printf("%s: index of %#" PRIx64 ", %s of pool \"%s\", pages of ", image->blob.name,
	       image->base << image->frame_shift,
	       size_text(image->frames << image->frame_shift, size), shown(pool));
	printf("%s, ", size_text(1ULL << image->frame_shift, size));
	printf("%" PRIu64 " extents, ", kp_index_extents(&idx));
	printf("%s used\n", size_text(kp_index_used(&idx) << image->frame_shift, size));
	while (next_extent(&idx, &pos, &ext))
		printf("  %#14" PRIx64 " %10s  %s%s%s\n",
		       (image->base + ext.frame) << image->frame_shift,
		       size_text(ext.frames << image->frame_shift, size),
		       shown(idx.owners[ext.owner].name), ext.name[0] ? "  " : "",
		       ext.name[0] ? shown(ext.name) : "");
	for (pos = 0; kp_bad_next(&idx, &pos); pos++)
		printf("  %#14" PRIx64 " %10s  bad\n", (image->base + pos) << image->frame_shift,
		       size_text(1ULL << image->frame_shift, size));
	if (idx.all_bad)
		puts("  more memory errors than there is room for: nothing more is allocated");
}

void text_images(const struct images *images)
{
	if (images->tree.data) {
		printf("%s: KHO's tree\n", images->tree.name);
		text_tree(images->tree.data);
	}
	if (images->root)
		text_root(images->root);
	for (u32 i = 0; i < images->nr_indexes; i++)
		text_index(&images->index[i]);
}
