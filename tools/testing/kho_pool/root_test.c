// SPDX-License-Identifier: GPL-2.0-only
/* The root and the keep list: a read returns what was written, or nothing. */
#include <libfdt.h>

#include "region.h"
#include "test.h"

#include "../../../mm/kho_pool/index/root.h"

static struct kp_root root, got;
static struct kp_keep keep, got_keep;
static u8 page[KHO_POOL_ROOT_SIZE] __aligned(8);

/* Some pools, or as many of all things as there may be. */
static void make(bool largest)
{
	u64 size = MIB2 << SHIFT;

	memset(&root, 0, sizeof(root));
	root.frame_size = 1 << SHIFT;
	root.generation = 41;
	root.sealed = 1;
	root.seal_ns = 12345;
	root.nr_pools = largest ? KHO_POOL_MAX_POOLS : 2;
	root.nr_regions = largest ? KHO_POOL_MAX_REGIONS : 3;
	for (u32 i = 0; i < root.nr_pools; i++)
		snprintf(root.pool_name[i], sizeof(root.pool_name[i]),
			 largest ? "%u-a-name-of-all-31-bytes-allowe" : "p%u", i);
	for (u32 i = 0; i < root.nr_regions; i++) {
		struct kp_root_region *r = &root.region[i];

		r->base = (2 * i + 1) * size;
		r->size = size;
		r->index = (2 * i + 2) * size;
		r->index_size = kp_index_size(r->base >> SHIFT, r->size >> SHIFT);
		r->csum = 0x0123456789abcdefULL * i;
		r->nid = i % 2 ? ~0U : i;
		r->state = i % KHO_POOL_REGION_STATES;
		r->pool = i * root.nr_pools / root.nr_regions;
	}
}

static bool round_trip(void)
{
	for (int largest = 0; largest < 2; largest++) {
		make(largest);
		CHECK(kp_root_encode(&root, page) > 0);
		CHECK(!kp_root_decode(page, 1 << SHIFT, &got));
		CHECK(!memcmp(&root, &got, sizeof(root)));
		CHECK_EQ(kp_root_set_seal_ns(page, 99), 0);
		CHECK(!kp_root_decode(page, 1 << SHIFT, &got));
		CHECK_EQ(got.seal_ns, 99);
	}
	return true;
}

/* A table of bad frames at the end of an index, and the bit that says that there is one */
static bool tables(void)
{
	make(false);
	root.region[1].index_size = kp_index_size_table(root.region[1].base >> SHIFT,
							root.region[1].size >> SHIFT);
	CHECK(kp_root_encode(&root, page) > 0);
	CHECK(!strcmp(kp_root_decode(page, 1 << SHIFT, &got), "root contradicts itself"));
	root.incompat = KHO_POOL_INCOMPAT_BAD_TABLE;
	CHECK(kp_root_encode(&root, page) > 0);
	CHECK(!kp_root_decode(page, 1 << SHIFT, &got));
	CHECK(!memcmp(&root, &got, sizeof(root)));
	root.region[1].index_size += 4096;
	CHECK(kp_root_encode(&root, page) > 0);
	CHECK(!strcmp(kp_root_decode(page, 1 << SHIFT, &got), "root contradicts itself"));
	return true;
}

static bool same_bytes_for_same_state(void)
{
	u8 again[KHO_POOL_ROOT_SIZE] __aligned(8);

	make(true);
	memset(page, 0xff, sizeof(page));
	memset(again, 0x11, sizeof(again));
	kp_root_encode(&root, page);
	kp_root_encode(&root, again);
	CHECK(!memcmp(page, again, sizeof(page)));
	return true;
}

/* All 256 values of every byte but the one that is there. */
static bool every_byte_flipped(void)
{
	make(false);
	kp_root_encode(&root, page);
	for (u32 i = 0; i < sizeof(page); i++) {
		for (int x = 1; x < 256; x++) {
			const char *why;

			page[i] ^= x;
			why = kp_root_decode(page, 1 << SHIFT, &got);
			page[i] ^= x;
			CHECK(why && !strcmp(why, "root is damaged"));
		}
	}
	return true;
}

static void set_csum(void)
{
	__le64 csum = cpu_to_le64(kp_csum_words((__le64 *)page, 0, KHO_POOL_ROOT_CSUM / 8));

	memcpy(page + KHO_POOL_ROOT_CSUM, &csum, 8);
}

/* The same with a check value that holds: whatever it says, it is not believed blindly. */
static bool every_byte_forged(void)
{
	u32 refused = 0;

	make(false);
	kp_root_encode(&root, page);
	for (u32 i = 0; i < 1024; i++) {
		for (int x = 1; x < 256; x++) {
			page[i] ^= x;
			set_csum();
			if (kp_root_decode(page, 1 << SHIFT, &got)) {
				refused++;
			} else {
				CHECK(got.nr_pools <= KHO_POOL_MAX_POOLS);
				CHECK(got.nr_regions <= KHO_POOL_MAX_REGIONS);
				for (u32 j = 0; j < got.nr_regions; j++)
					CHECK(kp_index_size_valid(got.region[j].index_size,
								  got.region[j].base >> SHIFT,
								  got.region[j].size >> SHIFT));
			}
			page[i] ^= x;
		}
	}
	CHECK(refused > 10000);
	return true;
}

static bool other_kernels(void)
{
	const u64 one = 1, unknown = 1ULL << 20;
	u32 forged = 0;

	make(false);
	kp_root_encode(&root, page);
	CHECK(!strcmp(kp_root_decode(page, 1 << 14, &got), "root has another page size"));
	CHECK_EQ(fdt_setprop_inplace(page, 0, KHO_POOL_PROP_RO_COMPAT, &one, 8), 0);
	set_csum();
	CHECK(!kp_root_decode(page, 1 << SHIFT, &got));
	CHECK_EQ(got.ro_compat, 1);
	CHECK_EQ(fdt_setprop_inplace(page, 0, KHO_POOL_PROP_INCOMPAT, &unknown, 8), 0);
	set_csum();
	CHECK(!strcmp(kp_root_decode(page, 1 << SHIFT, &got),
		      "root has incompatible features"));
	/* Regions on top of each other, and beyond the end of the world. */
	for (int i = 0; i < 3; i++) {
		make(false);
		if (i == 0)
			root.region[1].base = root.region[0].base;
		if (i == 1)
			root.region[1].index = root.region[0].base;
		if (i == 2)
			root.region[2].size = ~0ULL & ~((MIB2 << SHIFT) - 1);
		kp_root_encode(&root, page);
		forged += !!kp_root_decode(page, 1 << SHIFT, &got);
	}
	CHECK_EQ(forged, 3);
	return true;
}

/* A root may fill the page up to its check value, and no further. */
static bool size_of_root(void)
{
	make(false);
	kp_root_encode(&root, page);
	for (u32 size = KHO_POOL_ROOT_CSUM; size <= KHO_POOL_ROOT_SIZE; size++) {
		const char *why;

		fdt_set_totalsize(page, size);
		set_csum();
		why = kp_root_decode(page, 1 << SHIFT, &got);
		if (size == KHO_POOL_ROOT_CSUM)
			CHECK(!why);
		else
			CHECK(why && !strcmp(why, "root is not a device tree"));
	}
	return true;
}

/*
 * Each field at its limits and one past them, with a check value that holds.
 */

#define CONTRADICTS	"root contradicts itself"
#define INCOMPLETE	"root is incomplete"

/* What the kernel with pages of @frame_size says of the page; NULL: it takes it. */
static bool says(const char *expected, u64 frame_size)
{
	const char *why = kp_root_decode(page, frame_size, &got);

	if (expected ? why && !strcmp(why, expected) : !why)
		return true;
	printf("# %s, not %s\n", why ?: "taken", expected ?: "taken");
	return false;
}

static const u64 root_frame = 1 << SHIFT;

#define ROOT(expected, change) do {					\
	make(false);							\
	change;								\
	CHECK(kp_root_encode(&root, page) > 0);				\
	if (!says(expected, root_frame)) {				\
		printf("# row: %s\n", #change);				\
		return false;						\
	}								\
	if (!(expected))						\
		CHECK(!memcmp(&root, &got, sizeof(root)));		\
} while (0)

static bool forged_regions(void)
{
	struct kp_root_region *r = root.region;
	const u64 size = MIB2 << SHIFT, index_size = kp_index_size(MIB2, MIB2);

	ROOT(NULL, r[0].base = 0);
	ROOT(CONTRADICTS, r[0].base += 1);
	ROOT(CONTRADICTS, r[0].base -= 1);
	/* In the middle of a page, of a page of KHO's, and of a block */
	ROOT(CONTRADICTS, r[0].base += 512);
	ROOT(CONTRADICTS, r[0].base += 2048);
	ROOT(CONTRADICTS, r[0].base += 4096);
	ROOT(CONTRADICTS, r[0].base += size / 2);
	ROOT(CONTRADICTS, r[0].base = ~0ULL);
	ROOT(NULL, r[0].base = -2 * size);
	ROOT(CONTRADICTS, r[0].base = -size);
	ROOT(CONTRADICTS, r[0].size = 0);
	ROOT(CONTRADICTS, r[0].size = size - 1);
	ROOT(CONTRADICTS, r[0].size = size + 1);
	ROOT(CONTRADICTS, r[0].size = size - 4096);
	ROOT(CONTRADICTS, r[0].size = size + 2048);
	ROOT(CONTRADICTS, r[0].size = 2 * size);
	ROOT(CONTRADICTS, r[0].size = ~0ULL);

	ROOT(NULL, r[0].index = 0);
	ROOT(CONTRADICTS, r[0].index += 1);
	ROOT(CONTRADICTS, r[0].index -= 1);
	ROOT(CONTRADICTS, r[0].index += 2048);
	ROOT(NULL, r[0].index += 4096);
	ROOT(CONTRADICTS, r[0].index = ~0ULL);
	ROOT(CONTRADICTS, r[0].index = -index_size);
	ROOT(NULL, r[0].index = -index_size - 4096);
	ROOT(CONTRADICTS, r[0].index_size = 0);
	ROOT(CONTRADICTS, r[0].index_size -= 1);
	ROOT(CONTRADICTS, r[0].index_size += 1);
	ROOT(CONTRADICTS, r[0].index_size -= 4096);
	ROOT(CONTRADICTS, r[0].index_size += 4096);
	ROOT(CONTRADICTS, r[0].index_size = ~0ULL);

	ROOT(NULL, r[0].state = KHO_POOL_REGION_STATES - 1);
	ROOT(CONTRADICTS, r[0].state = KHO_POOL_REGION_STATES);
	ROOT(CONTRADICTS, r[0].state = ~0U);
	ROOT(NULL, r[0].nid = ~0U);
	ROOT(NULL, r[0].csum = ~0ULL);
	return true;
}

/* Regions and their indexes may touch each other, whichever comes first. */
static bool forged_neighbours(void)
{
	struct kp_root_region *r = root.region;
	const u64 size = MIB2 << SHIFT, index_size = kp_index_size(MIB2, MIB2);

	ROOT(NULL, r[0].index = r[0].base + size);
	ROOT(CONTRADICTS, r[0].index = r[0].base + size - 4096);
	ROOT(NULL, r[0].index = r[0].base - index_size);
	ROOT(CONTRADICTS, r[0].index = r[0].base - index_size + 4096);
	ROOT(NULL, r[0].index = r[1].base - index_size);
	ROOT(CONTRADICTS, r[0].index = r[1].base - index_size + 4096);
	ROOT(NULL, r[1].index = r[0].base - index_size);
	ROOT(CONTRADICTS, r[1].index = r[0].base - index_size + 4096);
	ROOT(NULL, r[1].index = r[0].index + index_size);
	ROOT(CONTRADICTS, r[1].index = r[0].index + index_size - 4096);
	ROOT(NULL, r[0].index = r[1].index + index_size);
	ROOT(CONTRADICTS, r[0].index = r[1].index + index_size - 4096);
	ROOT(CONTRADICTS, r[1].base = r[0].base);
	ROOT(CONTRADICTS, r[2].base = r[0].index);
	ROOT(CONTRADICTS, r[0].base = r[2].index);
	ROOT(NULL, r[1].base = r[0].base + 2 * size; r[0].index = 0);
	ROOT(NULL, r[1].base = r[0].base + size; r[0].index = 0);
	ROOT(CONTRADICTS, r[0].size = 2 * size; r[1].base = r[0].base + size; r[0].index = 0);
	return true;
}

/* With larger pages the index begins at one, but may end in the middle of one. */
static bool forged_large_pages(void)
{
	const u64 block = MIB2 << 14;

	for (u64 at = 0; at <= 1 << 14; at += 1024) {
		make(false);
		root.nr_pools = 1;
		root.nr_regions = 1;
		root.frame_size = 1 << 14;
		root.region[0].base = block;
		root.region[0].size = block;
		root.region[0].index = 2 * block + at;
		root.region[0].index_size = kp_index_size(MIB2, MIB2);
		CHECK(kp_root_encode(&root, page) > 0);
		CHECK(says(at % (1 << 14) ? CONTRADICTS : NULL, 1 << 14));
		root.region[0].index = 2 * block;
		root.region[0].base = block + (at << 8);
		root.region[0].size = block + (at << 8);
		root.region[0].index = 8 * block;
		root.region[0].index_size = kp_index_size((block + (at << 8)) >> 14,
							  (block + (at << 8)) >> 14) ?: 4096;
		CHECK(kp_root_encode(&root, page) > 0);
		CHECK(says(at << 8 & (block - 1) ? CONTRADICTS : NULL, 1 << 14));
	}
	return true;
}

static bool forged_numbers(void)
{
	static const u64 values[] = { 0, 1, 2, ~0ULL };

	for (u32 i = 0; i < ARRAY_SIZE(values); i++) {
		ROOT(NULL, root.ro_compat = values[i]);
		ROOT(NULL, root.compat = values[i]);
		ROOT(NULL, root.generation = values[i]);
		ROOT(NULL, root.sealed = values[i]);
		ROOT(NULL, root.seal_ns = values[i]);
		ROOT("root has another page size", root.frame_size = values[i]);
	}
	ROOT(NULL, root.incompat = KHO_POOL_INCOMPAT_KNOWN);
	for (u32 bit = 1; bit < 64; bit++)
		ROOT("root has incompatible features", root.incompat = 1ULL << bit);
	ROOT("root has incompatible features", root.incompat = ~0ULL);
	ROOT("root has another page size", root.frame_size = (1 << SHIFT) - 1);
	ROOT("root has another page size", root.frame_size = (1 << SHIFT) + 1);
	ROOT(INCOMPLETE, root.nr_pools = 0);
	ROOT(CONTRADICTS, root.region[2].pool = 0);
	return true;
}

/* A property of the page's tree gets other contents, or goes. */
static bool forge(const char *path, const char *name, const void *value, int len)
{
	static u8 tree[4 * KHO_POOL_ROOT_SIZE] __aligned(8);
	int node;

	CHECK_EQ(fdt_open_into(page, tree, sizeof(tree)), 0);
	node = fdt_path_offset(tree, path);
	if (node == -FDT_ERR_NOTFOUND)
		node = fdt_add_subnode(tree, 0, path + 1);
	CHECK(node >= 0);
	if (value)
		CHECK_EQ(fdt_setprop(tree, node, name, value, len), 0);
	else
		CHECK_EQ(fdt_delprop(tree, node, name), 0);
	CHECK_EQ(fdt_pack(tree), 0);
	CHECK(fdt_totalsize(tree) <= KHO_POOL_ROOT_CSUM);
	memset(page, 0, sizeof(page));
	memcpy(page, tree, fdt_totalsize(tree));
	set_csum();
	return true;
}

#define FORGED(expected, path, name, value, len) do {			\
	make(false);							\
	CHECK(kp_root_encode(&root, page) > 0);				\
	CHECK(forge(path, name, value, len));				\
	CHECK(says(expected, root_frame));				\
} while (0)

static bool forged_properties(void)
{
	static const char *const numbers[] = {
		KHO_POOL_PROP_INCOMPAT, KHO_POOL_PROP_RO_COMPAT, KHO_POOL_PROP_COMPAT,
		KHO_POOL_PROP_FRAME_SIZE, KHO_POOL_PROP_GENERATION, KHO_POOL_PROP_SEALED,
		KHO_POOL_PROP_SEAL_NS,
	};
	static const char longest[] = "a pool's name of 31 bytes, long";
	static const char longer[] = "a pool's name of 32 bytes, large";
	const u64 number[2] = { cpu_to_le64(1 << SHIFT) }, zero[2] = {};
	struct kho_pool_root_region le[3];
	int len;

	static_assert(sizeof(longest) == KHO_POOL_POOL_NAME_MAX);
	static_assert(sizeof(longer) == KHO_POOL_POOL_NAME_MAX + 1);
	for (u32 i = 0; i < ARRAY_SIZE(numbers); i++) {
		const u64 *good = strcmp(numbers[i], KHO_POOL_PROP_FRAME_SIZE) ? zero : number;

		FORGED(NULL, "/", numbers[i], good, 8);
		FORGED(INCOMPLETE, "/", numbers[i], NULL, 0);
		for (len = 0; len <= 16; len++)
			FORGED(len == 8 ? NULL : INCOMPLETE, "/", numbers[i], good, len);
	}
	FORGED("root has another format", "/", "compatible", "kho-pool-v2", 12);
	FORGED("root has another format", "/", "compatible", "kho-pool-v", 11);
	FORGED("root has another format", "/", "compatible", NULL, 0);

	FORGED(NULL, "/pool@0", KHO_POOL_PROP_POOL_NAME, "x", 2);
	FORGED(NULL, "/pool@0", KHO_POOL_PROP_POOL_NAME, longest, sizeof(longest));
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, longer, sizeof(longer));
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, longest, sizeof(longest) - 1);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, "x\0y", 4);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, "x\0", 3);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, "", 1);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, "", 0);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, NULL, 0);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_POOL_NAME, "p1", 3);

	/* The first pool has two of the three regions. */
	make(false);
	CHECK(kp_root_encode(&root, page) > 0);
	memcpy(le, fdt_getprop(page, fdt_path_offset(page, "/pool@0"), KHO_POOL_PROP_REGIONS,
			       &len), 2 * sizeof(*le));
	CHECK_EQ(len, 2 * sizeof(*le));
	for (len = 0; len <= 2 * sizeof(*le); len++)
		FORGED(len && len % sizeof(*le) == 0 ? NULL : CONTRADICTS, "/pool@0",
		       KHO_POOL_PROP_REGIONS, le, len);
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_REGIONS, NULL, 0);
	le[2] = le[1];
	FORGED(CONTRADICTS, "/pool@0", KHO_POOL_PROP_REGIONS, le, sizeof(le));
	return true;
}

/* As many regions and pools as there may be, and one more. */
static bool forged_many(void)
{
	static struct kho_pool_root_region le[KHO_POOL_MAX_REGIONS + 1];
	const u64 size = MIB2 << SHIFT;

	for (u32 i = 0; i < ARRAY_SIZE(le); i++) {
		le[i].base = cpu_to_le64((2 * i + 1) * size);
		le[i].size = cpu_to_le64(size);
		le[i].index = cpu_to_le64((2 * i + 2) * size);
		le[i].index_size = cpu_to_le64(kp_index_size((2 * i + 1) * MIB2, MIB2));
	}
	for (u32 nr = KHO_POOL_MAX_REGIONS; nr <= ARRAY_SIZE(le); nr++) {
		make(false);
		root.nr_pools = 1;
		root.nr_regions = 1;
		root.region[0].pool = 0;
		CHECK(kp_root_encode(&root, page) > 0);
		CHECK(forge("/pool@0", KHO_POOL_PROP_REGIONS, le, nr * sizeof(*le)));
		CHECK(says(nr > KHO_POOL_MAX_REGIONS ? CONTRADICTS : NULL, root_frame));
		if (nr == KHO_POOL_MAX_REGIONS)
			CHECK_EQ(got.nr_regions, nr);
	}
	for (u32 nr = KHO_POOL_MAX_POOLS; nr <= KHO_POOL_MAX_POOLS + 1; nr++) {
		make(false);
		root.nr_pools = 1;
		root.nr_regions = 1;
		root.region[0].pool = 0;
		CHECK(kp_root_encode(&root, page) > 0);
		for (u32 i = 1; i < nr; i++) {
			char path[] = "/pool@0", name[] = "n0";

			path[6] += i;
			name[1] += i;
			CHECK(forge(path, KHO_POOL_PROP_POOL_NAME, name, sizeof(name)));
			CHECK(forge(path, KHO_POOL_PROP_REGIONS, &le[i], sizeof(*le)));
		}
		CHECK(says(nr > KHO_POOL_MAX_POOLS ? CONTRADICTS : NULL, root_frame));
		if (nr == KHO_POOL_MAX_POOLS)
			CHECK_EQ(got.nr_pools, nr);
	}
	return true;
}

static bool keep_list(void)
{
	memset(&keep, 0, sizeof(keep));
	keep.nr = KHO_POOL_MAX_KEEP;
	for (u32 i = 0; i < keep.nr; i++) {
		keep.range[i].base = i * 8192ULL;
		keep.range[i].size = 4096;
		keep.range[i].flags = i % 2;
	}
	kp_keep_encode(&keep, page);
	CHECK(kp_keep_decode(page, &got_keep));
	CHECK(!memcmp(&keep, &got_keep, sizeof(keep)));
	for (u32 i = 0; i < sizeof(page); i++) {
		for (int x = 1; x < 256; x++) {
			page[i] ^= x;
			CHECK(!kp_keep_decode(page, &got_keep));
			CHECK_EQ(got_keep.nr, 0);
			page[i] ^= x;
		}
	}
	return true;
}

#define KEPT(expected, change) do {					\
	struct kho_pool_keep *k = (struct kho_pool_keep *)page;		\
									\
	kp_keep_encode(&keep, page);					\
	change;								\
	set_csum();							\
	if (kp_keep_decode(page, &got_keep) != (expected)) {		\
		printf("# row: %s\n", #change);				\
		return false;						\
	}								\
	CHECK_EQ(got_keep.nr, (expected) ? le64_to_cpu(k->nr) : 0);	\
} while (0)

static bool forged_keep_list(void)
{
	memset(&keep, 0, sizeof(keep));
	keep.nr = KHO_POOL_MAX_KEEP;
	for (u32 i = 0; i < keep.nr; i++)
		keep.range[i].size = 4096;
	KEPT(true, k->nr = cpu_to_le64(KHO_POOL_MAX_KEEP));
	KEPT(true, k->nr = 0);
	KEPT(true, k->nr = cpu_to_le64(KHO_POOL_MAX_KEEP - 1));
	KEPT(false, k->nr = cpu_to_le64(KHO_POOL_MAX_KEEP + 1));
	KEPT(false, k->nr = cpu_to_le64(1ULL << 32));
	KEPT(false, k->nr = ~0ULL);
	KEPT(false, k->magic = cpu_to_le64(KHO_POOL_KEEP_MAGIC - 1));
	KEPT(false, k->magic = cpu_to_le64(KHO_POOL_KEEP_MAGIC + 1));
	KEPT(false, k->magic = 0);
	for (u32 i = 0; i < KHO_POOL_MAX_KEEP; i += KHO_POOL_MAX_KEEP - 1) {
		KEPT(false, k->range[i].size = 0);
		KEPT(false, k->range[i].size = cpu_to_le64(4095));
		KEPT(false, k->range[i].size = cpu_to_le64(4097));
		KEPT(false, k->range[i].size = ~0ULL);
		KEPT(true, k->range[i].size = cpu_to_le64(-4096ULL));
		KEPT(false, k->range[i].base = cpu_to_le64(1));
		KEPT(false, k->range[i].base = cpu_to_le64(2048));
		KEPT(true, k->range[i].base = cpu_to_le64(4096));
		KEPT(true, k->range[i].base = cpu_to_le64(-8192ULL));
		KEPT(false, k->range[i].base = cpu_to_le64(-4096ULL));
		KEPT(false, k->range[i].base = ~0ULL);
		KEPT(true, k->range[i].flags = ~0ULL);
	}
	return true;
}

int main(void)
{
	static const struct test tests[] = {
		{ "round_trip", round_trip },
		{ "tables", tables },
		{ "same_bytes_for_same_state", same_bytes_for_same_state },
		{ "every_byte_flipped", every_byte_flipped },
		{ "every_byte_forged", every_byte_forged },
		{ "other_kernels", other_kernels },
		{ "size_of_root", size_of_root },
		{ "forged_regions", forged_regions },
		{ "forged_neighbours", forged_neighbours },
		{ "forged_large_pages", forged_large_pages },
		{ "forged_numbers", forged_numbers },
		{ "forged_properties", forged_properties },
		{ "forged_many", forged_many },
		{ "keep_list", keep_list },
		{ "forged_keep_list", forged_keep_list },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
