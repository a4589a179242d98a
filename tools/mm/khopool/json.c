// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is in images, for programs.  Addresses and sums are strings in hex, as
 * not every reader has 64 bits for a number; sizes are numbers of bytes.
 */
#include <inttypes.h>

#include <libfdt.h>

#include "khopool.h"

/* Is a comma needed before what comes next, on each level? */
static bool more[64];
static u32 level;

static void string(const char *s)
{
	putchar('"');
	/* Names are bytes; what is not ASCII is taken for Latin-1. */
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			printf("\\%c", *s);
		else if ((u8)*s < ' ' || (u8)*s >= 0x7f)
			printf("\\u%04x", (u8)*s);
		else
			putchar(*s);
	}
	putchar('"');
}

static void key(const char *name)
{
	if (more[level])
		putchar(',');
	if (level)
		printf("\n%*s", level, "");
	more[level] = true;
	if (name) {
		string(name);
		fputs(": ", stdout);
	}
}

static void begin(const char *name, char bracket)
{
	key(name);
	putchar(bracket);
	more[++level] = false;
}

static void end(char bracket)
{
	bool empty = !more[level--];

	if (!empty)
		printf("\n%*s", level, "");
	putchar(bracket);
}

static void put_string(const char *name, const char *value)
{
	key(name);
	string(value);
}

static void put_number(const char *name, u64 value)
{
	key(name);
	printf("%" PRIu64, value);
}

static void put_hex(const char *name, u64 value)
{
	key(name);
	printf("\"0x%" PRIx64 "\"", value);
}

static void put_bool(const char *name, bool value)
{
	key(name);
	fputs(value ? "true" : "false", stdout);
}

/* Properties are bytes in hex; nodes are objects, under a key that none has. */
static void json_node(const void *fdt, int node)
{
	int property, child;

	fdt_for_each_property_offset(property, fdt, node) {
		const char *name;
		int len;
		const u8 *value = fdt_getprop_by_offset(fdt, property, &name, &len);

		if (!value)
			break;
		key(name);
		putchar('"');
		for (int i = 0; i < len; i++)
			printf("%02x", value[i]);
		putchar('"');
	}
	fdt_for_each_subnode(child, fdt, node) {
		char name[80];

		/* A deeper tree is not shown in full. */
		if (level + 2 >= ARRAY_SIZE(more))
			break;
		snprintf(name, sizeof(name), "%s/", fdt_get_name(fdt, child, NULL) ?: "?");
		begin(name, '{');
		json_node(fdt, child);
		end('}');
	}
}

static void json_region(const struct kp_root *root, const struct kp_root_region *r)
{
	begin(NULL, '{');
	put_hex("base", r->base);
	put_number("size", r->size);
	put_hex("index", r->index);
	put_number("index_size", r->index_size);
	if (root->sealed)
		put_hex("sum", r->sum);
	if (r->nid != ~0U)
		put_number("node", r->nid);
	put_string("state", region_states[r->state]);
	end('}');
}

static void json_good_root(const struct kp_root *root)
{
	put_number("generation", root->generation);
	put_number("page_size", root->frame_size);
	put_bool("sealed", root->sealed);
	if (root->sealed)
		put_number("seal_ns", root->seal_ns);
	put_hex("ro_compat", root->ro_compat);
	put_hex("compat", root->compat);
	begin("pools", '[');
	for (u32 pool = 0; pool < root->nr_pools; pool++) {
		begin(NULL, '{');
		put_string("name", root->pool_name[pool]);
		begin("regions", '[');
		for (u32 i = 0; i < root->nr_regions; i++)
			if (root->region[i].pool == pool)
				json_region(root, &root->region[i]);
		end(']');
		end('}');
	}
	end(']');
}

static void json_root(const struct root_image *image)
{
	begin("root", '{');
	put_string("file", image->blob.name);
	if (!image->wrong) {
		json_good_root(&image->root);
	} else {
		put_string("wrong", image->wrong);
		if (tree_good(image->blob.data, KHO_POOL_ROOT_CHECK)) {
			begin("tree", '{');
			json_node(image->blob.data, 0);
			end('}');
		}
	}
	if (image->keep_good) {
		begin("keep", '[');
		for (u32 i = 0; i < image->keep.nr; i++) {
			begin(NULL, '{');
			put_hex("base", image->keep.range[i].base);
			put_number("size", image->keep.range[i].size);
			put_bool("pool", image->keep.range[i].flags & KHO_POOL_KEEP_POOL);
			end('}');
		}
		end(']');
	} else if (image->keep_page) {
		put_string("keep_wrong", "keep list is damaged");
	}
	end('}');
}

static void json_index(const struct index_image *image)
{
	const struct kho_pool_index_header *h = (void *)image->blob.data;
	struct kp_index idx = image->idx;
	char pool[KHO_POOL_POOL_NAME_MAX + 1] = {};
	struct kp_extent ext;
	u64 pos = 0;

	begin(NULL, '{');
	put_string("file", image->blob.name);
	if (image->wrong) {
		put_string("wrong", image->wrong);
		end('}');
		return;
	}
	memcpy(pool, h->pool, sizeof(h->pool));
	put_string("pool", pool);
	put_hex("base", image->base << image->frame_shift);
	put_number("size", image->frames << image->frame_shift);
	put_number("page_size", 1ULL << image->frame_shift);
	put_number("used", idx.lane->used_frames << image->frame_shift);
	begin("extents", '[');
	while (kp_index_next(&idx, &pos, &ext)) {
		begin(NULL, '{');
		put_hex("base", (image->base + ext.frame) << image->frame_shift);
		put_number("size", ext.frames << image->frame_shift);
		put_string("owner", idx.owners[ext.owner].name);
		if (ext.name)
			put_string("name", ext.name);
		end('}');
	}
	end(']');
	end('}');
}

void json_images(const struct images *images)
{
	begin(NULL, '{');
	if (images->tree.data) {
		begin("kho", '{');
		json_node(images->tree.data, 0);
		end('}');
	}
	if (images->root)
		json_root(images->root);
	begin("indexes", '[');
	for (u32 i = 0; i < images->nr_indexes; i++)
		json_index(&images->index[i]);
	end(']');
	end('}');
	putchar('\n');
}
