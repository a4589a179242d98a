// SPDX-License-Identifier: GPL-2.0-only
/* Writing and reading the root and the keep list. */
#include <linux/libfdt.h>

#include "internal.h"
#include "root.h"

static_assert(sizeof(struct kho_pool_root_region) == 48);
static_assert(sizeof(struct kho_pool_keep) == KHO_POOL_ROOT_SIZE);

static u64 kp_page_csum(const void *page)
{
	return kp_csum_words(page, 0, KHO_POOL_ROOT_CSUM / 8);
}

static void kp_set_csum(void *page)
{
	__le64 csum = cpu_to_le64(kp_page_csum(page));

	memcpy((u8 *)page + KHO_POOL_ROOT_CSUM, &csum, sizeof(csum));
}

static bool kp_csum_right(const void *page)
{
	__le64 csum;

	memcpy(&csum, (const u8 *)page + KHO_POOL_ROOT_CSUM, sizeof(csum));
	return le64_to_cpu(csum) == kp_page_csum(page);
}

static int kp_root_put_u64(void *fdt, const char *name, u64 value)
{
	__le64 le = cpu_to_le64(value);

	return fdt_property(fdt, name, &le, sizeof(le));
}

static int kp_root_put_regions(void *fdt, const struct kp_root *root, u32 pool)
{
	u32 nr = 0;
	void *to;
	int err;

	for (u32 i = 0; i < root->nr_regions; i++)
		nr += root->region[i].pool == pool;
	err = fdt_property_placeholder(fdt, KHO_POOL_PROP_REGIONS,
				       nr * sizeof(struct kho_pool_root_region), &to);
	if (err)
		return err;
	for (u32 i = 0; i < root->nr_regions; i++) {
		const struct kp_root_region *from = &root->region[i];
		struct kho_pool_root_region le = {
			.base = cpu_to_le64(from->base),
			.size = cpu_to_le64(from->size),
			.index = cpu_to_le64(from->index),
			.index_size = cpu_to_le64(from->index_size),
			.csum = cpu_to_le64(from->csum),
			.nid = cpu_to_le32(from->nid),
			.state = cpu_to_le32(from->state),
		};

		if (from->pool != pool)
			continue;
		/* The tree aligns properties to four bytes only. */
		memcpy(to, &le, sizeof(le));
		to += sizeof(le);
	}
	return 0;
}

/**
 * kp_root_encode - write the root
 * @root: what to write
 * @page: KHO_POOL_ROOT_SIZE bytes
 *
 * Return: bytes of the tree, or a negative error of libfdt if it does not fit.
 */
int kp_root_encode(const struct kp_root *root, void *page)
{
	int err;

	memset(page, 0, KHO_POOL_ROOT_SIZE);
	err = fdt_create(page, KHO_POOL_ROOT_CSUM);
	err = err ?: fdt_finish_reservemap(page);
	err = err ?: fdt_begin_node(page, "");
	err = err ?: fdt_property_string(page, "compatible", KHO_POOL_COMPATIBLE);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_INCOMPAT, root->incompat);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_RO_COMPAT, root->ro_compat);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_COMPAT, root->compat);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_FRAME_SIZE, root->frame_size);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_GENERATION, root->generation);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_SEALED, root->sealed);
	err = err ?: kp_root_put_u64(page, KHO_POOL_PROP_SEAL_NS, root->seal_ns);
	for (u32 i = 0; i < root->nr_pools && !err; i++) {
		char node[] = "pool@0";

		node[5] += i;
		err = fdt_begin_node(page, node);
		err = err ?: fdt_property_string(page, KHO_POOL_PROP_POOL_NAME,
						 root->pool_name[i]);
		err = err ?: kp_root_put_regions(page, root, i);
		err = err ?: fdt_end_node(page);
	}
	err = err ?: fdt_end_node(page);
	err = err ?: fdt_finish(page);
	if (err)
		return err;
	/* libfdt leaves what it has moved. */
	memset((u8 *)page + fdt_totalsize(page), 0, KHO_POOL_ROOT_CSUM - fdt_totalsize(page));
	kp_set_csum(page);
	return fdt_totalsize(page);
}

int kp_root_set_seal_ns(void *page, u64 seal_ns)
{
	__le64 le = cpu_to_le64(seal_ns);
	int err = fdt_setprop_inplace(page, 0, KHO_POOL_PROP_SEAL_NS, &le, sizeof(le));

	kp_set_csum(page);
	return err;
}

static bool kp_root_get_u64(const void *fdt, const char *name, u64 *value)
{
	int len;
	const void *p = fdt_getprop(fdt, 0, name, &len);
	__le64 le;

	if (!p || len != sizeof(le))
		return false;
	memcpy(&le, p, sizeof(le));
	*value = le64_to_cpu(le);
	return true;
}

static bool kp_root_overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool kp_root_valid_range(u64 base, u64 size, u64 align)
{
	return size && base + size > base && !((base | size) & (align - 1));
}

/* Is @r compatible with the regions before it? */
static bool kp_root_valid_region(const struct kp_root *root, const struct kp_root_region *r)
{
	u64 frame = root->frame_size;

	if (!kp_root_valid_range(r->base, r->size, frame << KHO_POOL_BLOCK_SHIFT) ||
	    !kp_root_valid_range(r->index, r->index_size, 4096) || r->index & (frame - 1) ||
	    r->state >= KHO_POOL_REGION_STATES ||
	    !kp_index_size_valid(r->index_size, r->base / frame, r->size / frame) ||
	    (kp_index_has_table(r->index_size, r->base / frame, r->size / frame) &&
	     !(root->incompat & KHO_POOL_INCOMPAT_BAD_TABLE)) ||
	    kp_root_overlap(r->base, r->size, r->index, r->index_size))
		return false;
	for (u32 i = 0; i < root->nr_regions; i++) {
		const struct kp_root_region *o = &root->region[i];

		if (kp_root_overlap(r->base, r->size, o->base, o->size) ||
		    kp_root_overlap(r->base, r->size, o->index, o->index_size) ||
		    kp_root_overlap(r->index, r->index_size, o->base, o->size) ||
		    kp_root_overlap(r->index, r->index_size, o->index, o->index_size))
			return false;
	}
	return true;
}

static bool kp_root_get_pool(const void *fdt, int node, struct kp_root *root)
{
	u32 pool = root->nr_pools;
	const u8 *data;
	const char *name;
	int len;

	if (pool == KHO_POOL_MAX_POOLS)
		return false;
	name = fdt_getprop(fdt, node, KHO_POOL_PROP_POOL_NAME, &len);
	if (!name || len < 2 || len > KHO_POOL_POOL_NAME_MAX || strnlen(name, len) != len - 1)
		return false;
	memcpy(root->pool_name[pool], name, len);
	for (u32 i = 0; i < pool; i++)
		if (!strcmp(root->pool_name[i], name))
			return false;
	data = fdt_getprop(fdt, node, KHO_POOL_PROP_REGIONS, &len);
	if (!data || len <= 0 || len % sizeof(struct kho_pool_root_region))
		return false;
	for (; len > 0; len -= sizeof(struct kho_pool_root_region)) {
		struct kp_root_region *r = &root->region[root->nr_regions];
		struct kho_pool_root_region le;

		if (root->nr_regions == KHO_POOL_MAX_REGIONS)
			return false;
		memcpy(&le, data, sizeof(le));
		data += sizeof(le);
		r->base = le64_to_cpu(le.base);
		r->size = le64_to_cpu(le.size);
		r->index = le64_to_cpu(le.index);
		r->index_size = le64_to_cpu(le.index_size);
		r->csum = le64_to_cpu(le.csum);
		r->nid = le32_to_cpu(le.nid);
		r->state = le32_to_cpu(le.state);
		r->pool = pool;
		if (!kp_root_valid_region(root, r))
			return false;
		root->nr_regions++;
	}
	root->nr_pools++;
	return true;
}

/**
 * kp_root_decode - read the root
 * @page: KHO_POOL_ROOT_SIZE bytes
 * @frame_size: this kernel's page size
 * @root: what was read
 *
 * Return: NULL, or the reason why the root cannot be used.
 */
const char *kp_root_decode(const void *page, u64 frame_size, struct kp_root *root)
{
	int node;

	memset(root, 0, sizeof(*root));
	if (!kp_csum_right(page))
		return "root is damaged";
	if (fdt_check_header(page) || fdt_totalsize(page) > KHO_POOL_ROOT_CSUM)
		return "root is not a device tree";
	if (fdt_node_check_compatible(page, 0, KHO_POOL_COMPATIBLE))
		return "root has another format";
	if (!kp_root_get_u64(page, KHO_POOL_PROP_INCOMPAT, &root->incompat))
		return "root is incomplete";
	if (root->incompat & ~KHO_POOL_INCOMPAT_KNOWN)
		return "root has incompatible features";
	if (!kp_root_get_u64(page, KHO_POOL_PROP_RO_COMPAT, &root->ro_compat) ||
	    !kp_root_get_u64(page, KHO_POOL_PROP_COMPAT, &root->compat) ||
	    !kp_root_get_u64(page, KHO_POOL_PROP_FRAME_SIZE, &root->frame_size) ||
	    !kp_root_get_u64(page, KHO_POOL_PROP_GENERATION, &root->generation) ||
	    !kp_root_get_u64(page, KHO_POOL_PROP_SEALED, &root->sealed) ||
	    !kp_root_get_u64(page, KHO_POOL_PROP_SEAL_NS, &root->seal_ns))
		return "root is incomplete";
	if (root->frame_size != frame_size)
		return "root has another page size";
	fdt_for_each_subnode(node, page, 0)
		if (!kp_root_get_pool(page, node, root))
			return "root contradicts itself";
	if (node != -FDT_ERR_NOTFOUND || !root->nr_regions)
		return "root is incomplete";
	return NULL;
}

void kp_keep_encode(const struct kp_keep *keep, void *page)
{
	struct kho_pool_keep *to = page;

	memset(to, 0, sizeof(*to));
	to->magic = cpu_to_le64(KHO_POOL_KEEP_MAGIC);
	to->nr = cpu_to_le64(keep->nr);
	for (u32 i = 0; i < keep->nr; i++) {
		to->range[i].base = cpu_to_le64(keep->range[i].base);
		to->range[i].size = cpu_to_le64(keep->range[i].size);
		to->range[i].flags = cpu_to_le64(keep->range[i].flags);
	}
	kp_set_csum(page);
}

/* False if the list is damaged. */
bool kp_keep_decode(const void *page, struct kp_keep *keep)
{
	const struct kho_pool_keep *from = page;

	memset(keep, 0, sizeof(*keep));
	if (!kp_csum_right(page) || le64_to_cpu(from->magic) != KHO_POOL_KEEP_MAGIC ||
	    le64_to_cpu(from->nr) > KHO_POOL_MAX_KEEP)
		return false;
	for (u32 i = 0; i < le64_to_cpu(from->nr); i++) {
		keep->range[i].base = le64_to_cpu(from->range[i].base);
		keep->range[i].size = le64_to_cpu(from->range[i].size);
		keep->range[i].flags = le64_to_cpu(from->range[i].flags);
		if (!kp_root_valid_range(keep->range[i].base, keep->range[i].size, 4096))
			return false;
	}
	keep->nr = le64_to_cpu(from->nr);
	return true;
}
