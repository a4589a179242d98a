// SPDX-License-Identifier: GPL-2.0-only
/* Writing and reading the root and the keep list. */
#include <linux/libfdt.h>

#include "internal.h"
#include "root.h"

static_assert(sizeof(struct kho_pool_root_region) == 48);
static_assert(sizeof(struct kho_pool_keep) == KHO_POOL_ROOT_SIZE);

static u64 page_check(const void *page)
{
	return kp_sum_words(page, 0, KHO_POOL_ROOT_CHECK / 8);
}

static void set_check(void *page)
{
	__le64 check = cpu_to_le64(page_check(page));

	memcpy((u8 *)page + KHO_POOL_ROOT_CHECK, &check, sizeof(check));
}

static bool check_holds(const void *page)
{
	__le64 check;

	memcpy(&check, (const u8 *)page + KHO_POOL_ROOT_CHECK, sizeof(check));
	return le64_to_cpu(check) == page_check(page);
}

static int put_u64(void *fdt, const char *name, u64 value)
{
	__le64 le = cpu_to_le64(value);

	return fdt_property(fdt, name, &le, sizeof(le));
}

static int put_regions(void *fdt, const struct kp_root *root, u32 pool)
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
			.sum = cpu_to_le64(from->sum),
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
	err = fdt_create(page, KHO_POOL_ROOT_CHECK);
	err = err ?: fdt_finish_reservemap(page);
	err = err ?: fdt_begin_node(page, "");
	err = err ?: fdt_property_string(page, "compatible", KHO_POOL_COMPATIBLE);
	err = err ?: put_u64(page, KHO_POOL_PROP_INCOMPAT, KHO_POOL_INCOMPAT_KNOWN);
	err = err ?: put_u64(page, KHO_POOL_PROP_RO_COMPAT, root->ro_compat);
	err = err ?: put_u64(page, KHO_POOL_PROP_COMPAT, root->compat);
	err = err ?: put_u64(page, KHO_POOL_PROP_FRAME_SIZE, root->frame_size);
	err = err ?: put_u64(page, KHO_POOL_PROP_GENERATION, root->generation);
	err = err ?: put_u64(page, KHO_POOL_PROP_SEALED, root->sealed);
	err = err ?: put_u64(page, KHO_POOL_PROP_SEAL_NS, root->seal_ns);
	for (u32 i = 0; i < root->nr_pools && !err; i++) {
		char node[] = "pool@0";

		node[5] += i;
		err = fdt_begin_node(page, node);
		err = err ?: fdt_property_string(page, KHO_POOL_PROP_POOL_NAME,
						 root->pool_name[i]);
		err = err ?: put_regions(page, root, i);
		err = err ?: fdt_end_node(page);
	}
	err = err ?: fdt_end_node(page);
	err = err ?: fdt_finish(page);
	if (err)
		return err;
	/* libfdt leaves what it has moved. */
	memset((u8 *)page + fdt_totalsize(page), 0, KHO_POOL_ROOT_CHECK - fdt_totalsize(page));
	set_check(page);
	return fdt_totalsize(page);
}

int kp_root_set_seal_ns(void *page, u64 seal_ns)
{
	__le64 le = cpu_to_le64(seal_ns);
	int err = fdt_setprop_inplace(page, 0, KHO_POOL_PROP_SEAL_NS, &le, sizeof(le));

	set_check(page);
	return err;
}

static bool get_u64(const void *fdt, const char *name, u64 *value)
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

static bool overlap(u64 a, u64 a_size, u64 b, u64 b_size)
{
	return a < b + b_size && b < a + a_size;
}

static bool valid_range(u64 base, u64 size, u64 align)
{
	return size && base + size > base && !((base | size) & (align - 1));
}

/* May @r stand beside the regions before it? */
static bool valid_region(const struct kp_root *root, const struct kp_root_region *r)
{
	u64 frame = root->frame_size;

	if (!valid_range(r->base, r->size, frame << KHO_POOL_BLOCK_SHIFT) ||
	    !valid_range(r->index, r->index_size, 4096) || r->index & (frame - 1) ||
	    r->state >= KHO_POOL_REGION_STATES ||
	    r->index_size != kp_index_size(r->base / frame, r->size / frame) ||
	    overlap(r->base, r->size, r->index, r->index_size))
		return false;
	for (u32 i = 0; i < root->nr_regions; i++) {
		const struct kp_root_region *o = &root->region[i];

		if (overlap(r->base, r->size, o->base, o->size) ||
		    overlap(r->base, r->size, o->index, o->index_size) ||
		    overlap(r->index, r->index_size, o->base, o->size) ||
		    overlap(r->index, r->index_size, o->index, o->index_size))
			return false;
	}
	return true;
}

static bool get_pool(const void *fdt, int node, struct kp_root *root)
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
		r->sum = le64_to_cpu(le.sum);
		r->nid = le32_to_cpu(le.nid);
		r->state = le32_to_cpu(le.state);
		r->pool = pool;
		if (!valid_region(root, r))
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
	u64 incompat;
	int node;

	memset(root, 0, sizeof(*root));
	if (!check_holds(page))
		return "root is damaged";
	if (fdt_check_header(page) || fdt_totalsize(page) > KHO_POOL_ROOT_CHECK)
		return "root is no device tree";
	if (fdt_node_check_compatible(page, 0, KHO_POOL_COMPATIBLE))
		return "root is of another format";
	if (!get_u64(page, KHO_POOL_PROP_INCOMPAT, &incompat))
		return "root is incomplete";
	if (incompat & ~KHO_POOL_INCOMPAT_KNOWN)
		return "root has incompatible features";
	if (!get_u64(page, KHO_POOL_PROP_RO_COMPAT, &root->ro_compat) ||
	    !get_u64(page, KHO_POOL_PROP_COMPAT, &root->compat) ||
	    !get_u64(page, KHO_POOL_PROP_FRAME_SIZE, &root->frame_size) ||
	    !get_u64(page, KHO_POOL_PROP_GENERATION, &root->generation) ||
	    !get_u64(page, KHO_POOL_PROP_SEALED, &root->sealed) ||
	    !get_u64(page, KHO_POOL_PROP_SEAL_NS, &root->seal_ns))
		return "root is incomplete";
	if (root->frame_size != frame_size)
		return "root is of another page size";
	fdt_for_each_subnode(node, page, 0)
		if (!get_pool(page, node, root))
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
	set_check(page);
}

/* False if the list is damaged. */
bool kp_keep_decode(const void *page, struct kp_keep *keep)
{
	const struct kho_pool_keep *from = page;

	memset(keep, 0, sizeof(*keep));
	if (!check_holds(page) || le64_to_cpu(from->magic) != KHO_POOL_KEEP_MAGIC ||
	    le64_to_cpu(from->nr) > KHO_POOL_MAX_KEEP)
		return false;
	for (u32 i = 0; i < le64_to_cpu(from->nr); i++) {
		keep->range[i].base = le64_to_cpu(from->range[i].base);
		keep->range[i].size = le64_to_cpu(from->range[i].size);
		keep->range[i].flags = le64_to_cpu(from->range[i].flags);
		if (!valid_range(keep->range[i].base, keep->range[i].size, 4096))
			return false;
	}
	keep->nr = le64_to_cpu(from->nr);
	return true;
}
