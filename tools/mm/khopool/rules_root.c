// SPDX-License-Identifier: GPL-2.0-only
/* Each rule for a root and its keep list, one by one. */
#include <inttypes.h>

#include <libfdt.h>

#include "khopool.h"

static const char *const numbers[] = {
	KHO_POOL_PROP_INCOMPAT, KHO_POOL_PROP_RO_COMPAT, KHO_POOL_PROP_COMPAT,
	KHO_POOL_PROP_FRAME_SIZE, KHO_POOL_PROP_GENERATION, KHO_POOL_PROP_SEALED,
	KHO_POOL_PROP_SEAL_NS,
};

struct range {
	const char *what;
	u32 region;
	u64 base, size;
};

/* Ranges seen so far: regions and their indexes. */
struct seen {
	const struct blob *blob;
	u64 frame, incompat;
	u32 nr_pools, nr_regions, nr_ranges;
	const char *pool[KHO_POOL_MAX_POOLS];
	struct range range[2 * KHO_POOL_MAX_REGIONS];
};

static void check_csum(const struct blob *blob, const char *what, const u8 *page)
{
	u64 should = kp_csum_words((const __le64 *)page, 0, KHO_POOL_ROOT_CSUM / 8);
	__le64 is;

	memcpy(&is, page + KHO_POOL_ROOT_CSUM, sizeof(is));
	if (le64_to_cpu(is) != should)
		violated(blob, "%s is damaged: its check value is %016" PRIx64 ", not %016" PRIx64,
			 what, le64_to_cpu(is), should);
}

static bool number(const struct blob *blob, const char *name, u64 *value)
{
	__le64 le;
	int len;
	const void *p = fdt_getprop(blob->data, 0, name, &len);

	if (!p)
		violated(blob, "root is incomplete: there is no property \"%s\"", name);
	else if (len != sizeof(le))
		violated(blob, "root is incomplete: property \"%s\" has %d bytes, not 8", name,
			 len);
	if (!p || len != sizeof(le))
		return false;
	memcpy(&le, p, sizeof(le));
	*value = le64_to_cpu(le);
	return true;
}

static void check_range(struct seen *seen, const char *what, u64 base, u64 size, u64 align)
{
	struct range *r = &seen->range[seen->nr_ranges];

	if (!size || base + size <= base)
		violated(seen->blob, "region %u: %s [%#" PRIx64 ", %#" PRIx64
			 " bytes] is not a range", seen->nr_regions, what, base, size);
	else if ((base | size) & (align - 1))
		violated(seen->blob, "region %u: %s at %#" PRIx64 ", %#" PRIx64
			 " bytes, is not aligned to %#" PRIx64, seen->nr_regions, what, base, size,
			 align);
	for (u32 i = 0; i < seen->nr_ranges; i++) {
		const struct range *o = &seen->range[i];

		if (base < o->base + o->size && o->base < base + size)
			violated(seen->blob, "region %u: %s overlaps %s of region %u",
				 seen->nr_regions, what, o->what, o->region);
	}
	if (seen->nr_ranges == ARRAY_SIZE(seen->range))
		return;
	*r = (struct range){ what, seen->nr_regions, base, size };
	seen->nr_ranges++;
}

static void check_region(struct seen *seen, const u8 *data)
{
	struct kho_pool_root_region r;
	u64 base, size, index, index_size;

	memcpy(&r, data, sizeof(r));
	base = le64_to_cpu(r.base);
	size = le64_to_cpu(r.size);
	index = le64_to_cpu(r.index);
	index_size = le64_to_cpu(r.index_size);
	check_range(seen, "memory", base, size, seen->frame << KHO_POOL_BLOCK_SHIFT);
	check_range(seen, "index", index, index_size, 4096);
	if (index & (seen->frame - 1))
		violated(seen->blob, "region %u: index does not begin with a page",
			 seen->nr_regions);
	if (!kp_index_size_valid(index_size, base / seen->frame, size / seen->frame))
		violated(seen->blob, "region %u: index has %" PRIu64 " bytes, not %" PRIu64
			 " or, with a table of bad frames, %" PRIu64,
			 seen->nr_regions, index_size,
			 kp_index_size(base / seen->frame, size / seen->frame),
			 kp_index_size_table(base / seen->frame, size / seen->frame));
	else if (kp_index_has_table(index_size, base / seen->frame, size / seen->frame) &&
		 !(seen->incompat & KHO_POOL_INCOMPAT_BAD_TABLE))
		violated(seen->blob,
			 "region %u: index has a table of bad frames, and incompat does not say so",
			 seen->nr_regions);
	if (le32_to_cpu(r.state) >= KHO_POOL_REGION_STATES)
		violated(seen->blob, "region %u: there is no state %u", seen->nr_regions,
			 le32_to_cpu(r.state));
	seen->nr_regions++;
}

static void check_pool(struct seen *seen, int node)
{
	const void *fdt = seen->blob->data;
	u32 pool = seen->nr_pools;
	const char *name;
	const u8 *data;
	int len;

	if (pool++ == KHO_POOL_MAX_POOLS) {
		violated(seen->blob, "there are more than %d pools", KHO_POOL_MAX_POOLS);
		return;
	}
	name = fdt_getprop(fdt, node, KHO_POOL_PROP_POOL_NAME, &len);
	if (!name || len < 2 || len > KHO_POOL_POOL_NAME_MAX || strnlen(name, len) != len - 1) {
		violated(seen->blob, "pool %u: has no name of 1 to 31 bytes", pool - 1);
		name = "";
	}
	for (u32 i = 0; *name && i < seen->nr_pools; i++)
		if (!strcmp(seen->pool[i], name))
			violated(seen->blob, "pool %u: has the name of pool %u", pool - 1, i);
	seen->pool[seen->nr_pools++] = name;
	data = fdt_getprop(fdt, node, KHO_POOL_PROP_REGIONS, &len);
	if (!data || len <= 0 || len % sizeof(struct kho_pool_root_region)) {
		violated(seen->blob, "pool %u: has no regions of %zu bytes each", pool - 1,
			 sizeof(struct kho_pool_root_region));
		return;
	}
	for (; len > 0; len -= sizeof(struct kho_pool_root_region)) {
		if (seen->nr_regions == KHO_POOL_MAX_REGIONS) {
			violated(seen->blob, "there are more than %d regions",
				 KHO_POOL_MAX_REGIONS);
			return;
		}
		check_region(seen, data);
		data += sizeof(struct kho_pool_root_region);
	}
}

static void check_tree(const struct blob *blob)
{
	u64 values[ARRAY_SIZE(numbers)] = {};
	struct seen seen = { .blob = blob };
	int node;

	if (fdt_check_header(blob->data) || fdt_totalsize(blob->data) > KHO_POOL_ROOT_CSUM) {
		violated(blob, "root is not a device tree");
		return;
	}
	if (fdt_node_check_compatible(blob->data, 0, KHO_POOL_COMPATIBLE)) {
		violated(blob, "root has another format: it is not compatible with \"%s\"",
			 KHO_POOL_COMPATIBLE);
		return;
	}
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++)
		number(blob, numbers[i], &values[i]);
	if (values[0] & ~KHO_POOL_INCOMPAT_KNOWN) {
		/* The rest may mean anything. */
		violated(blob, "root has incompatible features: %#" PRIx64,
			 (u64)(values[0] & ~KHO_POOL_INCOMPAT_KNOWN));
		return;
	}
	seen.incompat = values[0];
	seen.frame = values[3];
	if (seen.frame != 4096 && seen.frame != 16384 && seen.frame != 65536) {
		violated(blob, "root has no valid page size: %" PRIu64, seen.frame);
		return;
	}
	fdt_for_each_subnode(node, blob->data, 0)
		check_pool(&seen, node);
	if (node != -FDT_ERR_NOTFOUND)
		violated(blob, "root is incomplete: %s", fdt_strerror(node));
	else if (!seen.nr_regions)
		violated(blob, "root is incomplete: there is no region");
}

static bool kept(const struct kp_keep *keep, u64 base, u64 size, bool pool)
{
	for (u32 i = 0; i < keep->nr; i++)
		if (keep->range[i].base == base && keep->range[i].size >= size &&
		    !(keep->range[i].flags & KHO_POOL_KEEP_POOL) == !pool)
			return true;
	return false;
}

static void check_keep(const struct root_image *image)
{
	const struct kho_pool_keep *list = (const void *)image->keep_page;
	u64 nr = le64_to_cpu(list->nr);

	check_csum(&image->blob, "keep list", image->keep_page);
	if (le64_to_cpu(list->magic) != KHO_POOL_KEEP_MAGIC)
		violated(&image->blob, "keep list has the magic %#" PRIx64,
			 le64_to_cpu(list->magic));
	if (nr > KHO_POOL_MAX_KEEP)
		violated(&image->blob, "keep list has %" PRIu64 " ranges, of at most %d", nr,
			 KHO_POOL_MAX_KEEP);
	for (u32 i = 0; i < min_t(u64, nr, KHO_POOL_MAX_KEEP); i++) {
		u64 base = le64_to_cpu(list->range[i].base);
		u64 size = le64_to_cpu(list->range[i].size);

		if (!size || base + size <= base || (base | size) & 4095)
			violated(&image->blob, "keep list: range %u [%#" PRIx64 ", %#" PRIx64
				 " bytes] is not a range of pages", i, base, size);
	}
}

/* Both can be used; do they agree? */
static void check_both(const struct root_image *image)
{
	const struct kp_root *root = &image->root;
	const struct kp_keep *keep = &image->keep;

	for (u32 i = 0; i < root->nr_regions; i++) {
		const struct kp_root_region *r = &root->region[i];

		if (!kept(keep, r->base, r->size, true) ||
		    !kept(keep, r->index, r->index_size, false))
			violated(&image->blob, "root and keep list differ: region %u at %#" PRIx64
				 " is not kept", i, r->base);
	}
	for (u32 i = 0; i < keep->nr; i++) {
		u32 j = 0;

		if (!(keep->range[i].flags & KHO_POOL_KEEP_POOL))
			continue;
		while (j < root->nr_regions && root->region[j].base != keep->range[i].base)
			j++;
		if (j == root->nr_regions || root->region[j].size != keep->range[i].size)
			violated(&image->blob, "root and keep list differ: [%#" PRIx64 ", %#" PRIx64
				 " bytes] is not a region", keep->range[i].base,
				 keep->range[i].size);
	}
}

void check_root(const struct root_image *image)
{
	u32 before = violations();

	check_csum(&image->blob, "root", image->blob.data);
	check_tree(&image->blob);
	/* The kernel has the last word. */
	if (image->wrong && violations() == before)
		violated(&image->blob, "%s", image->wrong);
	if (!image->keep_page)
		return;
	check_keep(image);
	if (!image->wrong && image->keep_good)
		check_both(image);
}
