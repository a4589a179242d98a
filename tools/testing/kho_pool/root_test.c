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
		{ "keep_list", keep_list },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
