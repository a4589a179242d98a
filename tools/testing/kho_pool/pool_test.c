// SPDX-License-Identifier: GPL-2.0-only
/*
 * What pools promise beyond the index: owners, contexts, signals, several regions and
 * pools.  Reads are counted, see beside.h.
 */
#include "region.h"
#include "test.h"

#include "../../../mm/kho_pool/pool.h"

#include <linux/kho_pool_expose.h>

#define BLOCK	(MIB2 << SHIFT)

__thread u32 this_cpu;
int beside_held;
unsigned long beside_reads;

void beside_point(void)
{
}

/* Reads and locks between taking a pool's name_lock and releasing it */
static unsigned long held_since, longest_hold;

bool beside_ignores(const raw_spinlock_t *lock)
{
	beside_reads++;
	if (lock != &kp_state.pool[0].name_lock)
		return false;
	if (lock->locked)
		held_since = beside_reads;
	else
		longest_hold = max(longest_hold, beside_reads - held_since);
	return false;
}

/* Regions, in the order of their addresses, and the number of the pool that each is in */
static struct region m[KHO_POOL_MAX_REGIONS];
static void *memory[KHO_POOL_MAX_REGIONS];	/* NULL: nothing is cleared there */
static u32 pool_of[KHO_POOL_MAX_REGIONS];
static u32 nr_regions;
static struct kho_pool *pool, *other_pool;

void *phys_to_virt(phys_addr_t phys)
{
	u32 i = nr_regions - 1;

	while (i && phys < m[i].base << SHIFT)
		i--;
	return (u8 *)memory[i] + phys - (m[i].base << SHIFT);
}

/* Attach what is in the regions to pools, as a new kernel does. */
static void boot(void)
{
	memset(&kp_state, 0, sizeof(kp_state));
	pool = &kp_state.pool[0];
	other_pool = &kp_state.pool[1];
	strcpy(pool->name, "pool");
	strcpy(other_pool->name, "other");
	for (u32 i = 0; i < nr_regions; i++) {
		struct kp_region *r = &kp_state.region[kp_state.nr_regions++];

		r->idx = m[i].idx;
		r->idx.mem = memory[i];
		r->pool = &kp_state.pool[pool_of[i]];
		r->base = m[i].base << SHIFT;
		r->size = m[i].frames << SHIFT;
		r->index_size = m[i].index_size;
		/* Both nodes have some of each pool with two. */
		r->nid = i & 1;
		r->pool->region[r->pool->nr_regions++] = r;
		kp_state.nr_pools = max(kp_state.nr_pools, pool_of[i] + 1);
	}
	shim_killed = false;
	shim_sleeps = 0;
}

static u32 cpus = 2;

static void add_region(u64 frames, u32 nr, bool has_memory)
{
	u64 base = nr_regions ? m[nr_regions - 1].base + m[nr_regions - 1].frames + GIB : GIB;

	region_init_table(&m[nr_regions], base, frames, cpus);
	memory[nr_regions] = has_memory ? pages(frames << SHIFT) : NULL;
	pool_of[nr_regions++] = nr;
}

/* One region; 0: none yet.  A test that failed has left some. */
static void begin(u64 frames)
{
	nr_regions = 0;
	cpus = 2;
	if (frames)
		add_region(frames, 0, true);
	boot();
}

static bool kexec(void)
{
	for (u32 i = 0; i < nr_regions; i++)
		CHECK_EQ(region_restore(&m[i], NULL), 0);
	boot();
	return true;
}

static bool end(void)
{
	for (; nr_regions; nr_regions--) {
		u32 i = nr_regions - 1;

		CHECK_EQ(kp_index_validate(&kp_state.region[i].idx), 0);
		if (memory[i])
			munmap(memory[i], m[i].frames << SHIFT);
		region_exit(&m[i]);
	}
	return true;
}

static bool owner_belongs(void)
{
	struct module one, two;
	struct kho_pool_owner *owner;

	begin(8 * MIB2);
	owner = __kho_pool_register_owner(pool, "driver", &one);
	CHECK(!IS_ERR(owner));
	CHECK_EQ(PTR_ERR(__kho_pool_register_owner(pool, "driver", &two)), -EBUSY);
	CHECK_EQ(PTR_ERR(kho_pool_register_owner(pool, "driver")), -EBUSY);
	CHECK(__kho_pool_register_owner(pool, "driver", &one) == owner);
	kho_pool_unregister_owner(owner);
	CHECK_EQ(PTR_ERR(__kho_pool_register_owner(pool, "driver", &two)), -EBUSY);
	kho_pool_unregister_owner(owner);
	CHECK(__kho_pool_register_owner(pool, "driver", &two) == owner);
	/* What user space has is the kernel's. */
	CHECK(!IS_ERR(kho_pool_user_owner(pool)));
	CHECK_EQ(PTR_ERR(__kho_pool_register_owner(pool, "user", &two)), -EBUSY);
	/* The next kernel knows nothing of modules. */
	CHECK(kexec());
	CHECK(!IS_ERR(__kho_pool_register_owner(pool, "driver", &one)));
	return end();
}

static struct kho_pool_owner *register_nr(u32 i)
{
	char name[16];

	snprintf(name, sizeof(name), "owner%u", i);
	return kho_pool_register_owner(pool, name);
}

static bool slots_come_back(void)
{
	struct kho_pool_request req = { .size = 4096, .nid = NUMA_NO_NODE };
	struct kho_pool_owner *owner, *with, *late;
	phys_addr_t phys, named;
	u32 nr = 0;

	begin(8 * MIB2);
	/* Two of 63 slots are those of the region's owners. */
	with = register_nr(1000);
	CHECK_EQ(kho_pool_alloc(with, &req, &phys), 0);
	req.name = "named";
	late = register_nr(1001);
	CHECK_EQ(kho_pool_alloc(late, &req, &named), 0);
	kho_pool_unregister_owner(with);
	kho_pool_unregister_owner(late);
	while (nr < 100 && !IS_ERR(owner = register_nr(nr)))
		nr++;
	CHECK_EQ(PTR_ERR(owner), -ENOSPC);
	/* "one" and "two" had none, and made room. */
	CHECK_EQ(nr, 61);
	/* Registered ones stay; those with extents, too. */
	CHECK(!IS_ERR(register_nr(0)));
	CHECK(kexec());
	for (u32 i = 0; i < 5; i++) {
		CHECK(!IS_ERR(register_nr(2000 + i)));
		CHECK_EQ(kp_index_validate(&kp_state.region[0].idx), 0);
	}
	with = register_nr(1000);
	CHECK(!IS_ERR(with));
	CHECK_EQ(kho_pool_claim_all(with, NULL, NULL), 0);
	CHECK_EQ(kho_pool_free(with, phys, 4096), 0);
	late = register_nr(1001);
	CHECK_EQ(kho_pool_claim(late, "named", &(struct kho_pool_extent){}), 0);
	CHECK_EQ(kho_pool_free(late, named, 4096), 0);
	/* After the seal nothing changes. */
	while (nr < 1000 && !IS_ERR(register_nr(3000 + nr)))
		nr++;
	CHECK(kp_index_seal(&kp_state.region[0].idx, &(u64){ 0 }, 1));
	CHECK_EQ(PTR_ERR(register_nr(4000)), -ENOSPC);
	kp_index_unseal(&kp_state.region[0].idx);
	return end();
}

/*
 * The names of all owners in all regions are not looked at, nor cleared, with interrupts
 * off.  Nor is anything else that is done under name_lock.
 */
static bool owners_in_steps(void)
{
	struct kho_pool_request req = { .size = 4096, .flags = KHO_POOL_NOZERO };
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	phys_addr_t phys;
	u32 nr = 0;

	begin(0);
	for (u32 i = 0; i < KHO_POOL_MAX_REGIONS; i++)
		add_region(MIB2, 0, false);
	boot();
	while (nr < 100 && !IS_ERR(register_nr(nr)))
		nr++;
	CHECK_EQ(nr, KHO_POOL_OWNERS - 1);
	for (u32 kernel = 0; kernel < 3; kernel++) {
		CHECK(kexec());
		longest_hold = 0;
		/* That makes room, as nobody has any extents but this one. */
		owner = register_nr(1000 + kernel);
		CHECK(!IS_ERR(owner));
		nr = 0;
		while (nr < 100 && !IS_ERR(register_nr(2000 + 100 * kernel + nr)))
			nr++;
		CHECK_EQ(nr, KHO_POOL_OWNERS - 2 - !!kernel);
		req.name = (char []){ 'a' + kernel, 0 };
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
		CHECK_EQ(kho_pool_lookup(pool, "z", &ext), -ENOENT);
		CHECK_EQ(kho_pool_claim(owner, req.name, &ext), -EALREADY);
		if (kernel == 1)
			CHECK_EQ(kho_pool_release_owner(pool, "owner1000"), 1);
		printf("# at most %lu reads and locks with name_lock\n", longest_hold);
		CHECK(longest_hold <= 512);
	}
	return end();
}

/* Each slot is the same owner's in all regions, or nobody's yet. */
static bool same_owners(void)
{
	for (u32 id = 1; id < KHO_POOL_OWNERS; id++)
		for (u32 i = 1; i < nr_regions; i++) {
			const char *a = kp_state.region[0].idx.owners[id].name;
			const char *b = kp_state.region[i].idx.owners[id].name;

			CHECK(!a[0] || !b[0] || !strcmp(a, b));
		}
	return true;
}

/* The seal comes between two regions, and goes again: an owner that is in one of them. */
static bool owners_in_part(void)
{
	u64 csum;
	u32 nr;

	for (u32 sealed = 0; sealed < 3; sealed++) {
		begin(2 * MIB2);
		add_region(2 * MIB2, 0, false);
		add_region(2 * MIB2, 0, false);
		boot();
		CHECK(!IS_ERR(register_nr(0)));
		CHECK(kp_index_seal(&kp_state.region[sealed].idx, &csum, 1));
		CHECK_EQ(PTR_ERR(register_nr(1)), -ESHUTDOWN);
		CHECK_EQ(PTR_ERR(register_nr(2)), -ESHUTDOWN);
		/* What is known is enough. */
		CHECK(!IS_ERR(register_nr(0)));
		kp_index_unseal(&kp_state.region[sealed].idx);
		CHECK(!IS_ERR(register_nr(2)));
		CHECK(!IS_ERR(register_nr(3)));
		CHECK(!IS_ERR(register_nr(1)));
		CHECK(same_owners());
		CHECK(kexec());
		for (nr = 0; nr < 10; nr++)
			CHECK(!IS_ERR(register_nr(nr)));
		CHECK(same_owners());
		/* All slots are to be cleared, and are in some of the regions. */
		while (nr < 100 && !IS_ERR(register_nr(nr)))
			nr++;
		CHECK(kexec());
		CHECK(kp_index_seal(&kp_state.region[sealed].idx, &csum, 1));
		CHECK(IS_ERR(register_nr(1000)));
		kp_index_unseal(&kp_state.region[sealed].idx);
		for (nr = 0; nr < KHO_POOL_OWNERS - 1; nr++)
			CHECK(!IS_ERR(register_nr(2000 + nr)));
		CHECK(same_owners());
		/* And in another kernel, which has seen none of it */
		CHECK(kexec());
		CHECK(kp_index_seal(&kp_state.region[sealed].idx, &csum, 1));
		CHECK(IS_ERR(register_nr(1000)));
		CHECK(kexec());
		for (nr = 0; nr < KHO_POOL_OWNERS - 1; nr++)
			CHECK(!IS_ERR(register_nr(3000 + nr)));
		CHECK(same_owners());
		CHECK(end());
	}
	return true;
}

struct seen {
	u32 nr, just_now, wrong;
	phys_addr_t new;	/* and all on node 1 */
};

static int see_claimed(const struct kho_pool_extent *ext, void *data)
{
	struct seen *seen = data;
	/* Those that were claimed before have an "x" in their names. */
	bool claimed = strchr(ext->name, 'x') || ext->nid || ext->phys == seen->new;

	seen->nr++;
	seen->just_now += ext->unclaimed;
	seen->wrong += ext->unclaimed == claimed;
	return 0;
}

/* Of extents that share a block, each says by itself whether it was claimed just now. */
static bool claimed_just_now(void)
{
	static const struct { u64 size; const char *name; } made[] = {
		{ 4096, "a" }, { 4096, "bx" }, { 8192, "c" }, { 4096, "dx" },
		{ 4096, NULL }, { 4096, NULL }, { BLOCK, "ex" }, { BLOCK, "f" }, { BLOCK, NULL },
	};
	struct kho_pool_owner *owner, *two;
	struct kho_pool_extent ext;
	struct seen seen = {};
	struct kho_pool_request block = { .size = BLOCK };
	phys_addr_t phys, top;

	begin(8 * MIB2);
	add_region(8 * MIB2, 0, true);
	boot();
	owner = kho_pool_register_owner(pool, "one");
	CHECK_EQ(kho_pool_alloc(owner, &block, &top), 0);
	for (u32 i = 0; i < ARRAY_SIZE(made); i++) {
		struct kho_pool_request req = {
			.size = made[i].size, .nid = NUMA_NO_NODE, .name = made[i].name,
		};

		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	}
	/* Another owner's do not count. */
	two = kho_pool_register_owner(pool, "two");
	CHECK_EQ(kho_pool_alloc(two, &(struct kho_pool_request){ .size = 4096 }, &phys), 0);
	CHECK(kexec());
	owner = kho_pool_register_owner(pool, "one");
	for (u32 i = 0; i < ARRAY_SIZE(made); i++)
		if (made[i].name && strchr(made[i].name, 'x')) {
			CHECK_EQ(kho_pool_claim(owner, made[i].name, &ext), 0);
			CHECK(!ext.unclaimed);
		}
	/* Neither do new ones, wherever they are. */
	for (u32 i = 0; i < 8; i++) {
		struct kho_pool_request req = {
			.size = BLOCK, .nid = 1, .flags = KHO_POOL_THISNODE,
		};

		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	}
	CHECK_EQ(kho_pool_free(owner, top, BLOCK), 0);
	CHECK_EQ(kho_pool_alloc(owner, &(struct kho_pool_request){ .size = 4096 }, &seen.new), 0);
	CHECK_EQ(seen.new, top);
	CHECK_EQ(kho_pool_claim_all(owner, see_claimed, &seen), 0);
	CHECK_EQ(seen.nr, 18);
	CHECK_EQ(seen.wrong, 0);
	CHECK_EQ(kho_pool_claim(owner, "a", &ext), -EALREADY);
	CHECK(!ext.unclaimed);
	/* A second time there is nothing to claim. */
	seen = (struct seen){};
	CHECK_EQ(kho_pool_claim_all(owner, see_claimed, &seen), 0);
	CHECK_EQ(seen.nr, 18);
	CHECK_EQ(seen.just_now, 0);
	return end();
}

/* Who must not sleep does not, and is told what cannot be had without. */
static bool contexts(void)
{
	struct kho_pool_request req = { .size = BLOCK, .nid = NUMA_NO_NODE };
	struct kho_pool_owner *owner;
	phys_addr_t phys;

	begin(8 * MIB2);
	owner = kho_pool_register_owner(pool, "one");
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	CHECK(shim_sleeps > 1);
	CHECK_EQ(kho_pool_free(owner, phys, BLOCK), 0);
	shim_sleeps = 0;
	req.flags = KHO_POOL_ATOMIC;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	CHECK_EQ(kho_pool_free(owner, phys, BLOCK), 0);
	req.size = 4096;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	CHECK_EQ(kho_pool_free(owner, phys, 4096), 0);
	/* More cannot be cleared there, only taken. */
	req.size = BLOCK + 4096;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), -EINVAL);
	req.flags |= KHO_POOL_NOZERO;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	CHECK_EQ(shim_sleeps, 0);
	req.flags = 8;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), -EINVAL);
	return end();
}

/* Whoever is killed while a large extent is cleared has not got it. */
static bool killed(void)
{
	struct kho_pool_request req = { .size = 3 * BLOCK, .nid = NUMA_NO_NODE, .name = "large" };
	struct kho_pool_extent ext;
	struct kho_pool_owner *owner;
	phys_addr_t phys;

	begin(8 * MIB2);
	owner = kho_pool_register_owner(pool, "one");
	shim_killed = true;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), -EINTR);
	CHECK_EQ(kho_pool_lookup(pool, "large", &ext), -ENOENT);
	CHECK_EQ(kp_pool_extents(), 0);
	CHECK_EQ(kp_index_validate(&kp_state.region[0].idx), 0);
	/* What one step clears is given all the same. */
	req.size = BLOCK;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	CHECK_EQ(kho_pool_free(owner, phys, BLOCK), 0);
	shim_killed = false;
	req.size = 8 * BLOCK;
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	return end();
}

/* All of it is cleared, whatever was there; nothing else is. */
static bool cleared(void)
{
	static const u64 sizes[] = { 1, 3, 511, 512, 513, 1500 };
	struct kho_pool_owner *owner;

	begin(8 * MIB2);
	owner = kho_pool_register_owner(pool, "one");
	memset(memory[0], 0x5a, m[0].frames << SHIFT);
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct kho_pool_request req = { .size = sizes[i] << SHIFT, .nid = NUMA_NO_NODE };
		phys_addr_t phys;
		u64 dirty = 0;

		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
		for (u64 at = 0; at < m[0].frames << SHIFT; at++)
			dirty += !!((u8 *)memory[0])[at];
		CHECK_EQ(dirty, (m[0].frames << SHIFT) - req.size);
		CHECK(!memchr_inv(phys_to_virt(phys), 0, req.size));
		memset(phys_to_virt(phys), 0x5a, req.size);
		CHECK_EQ(kho_pool_free(owner, phys, req.size), 0);
	}
	return end();
}

/* Reading a number costs what that number does, with many CPUs and many bad frames, too. */
static bool sums(void)
{
	static const struct {
		u64 all, node1;
		unsigned long reads;	/* in two regions; the third one's index is damaged */
	} sum[] = {
		[KP_SUM_REGIONS] = { 3, 1, 0 },
		[KP_SUM_SIZE] = { 4 * GIB << SHIFT, GIB << SHIFT, 0 },
		[KP_SUM_INDEX_BYTES] = { 120, 100, 0 },
		[KP_SUM_QUARANTINED] = { GIB << SHIFT, 0, 0 },
		[KP_SUM_BAD_FRAMES] = { 800, 300, 2 },
		[KP_SUM_EXTENTS] = { 9, 1, 2 * 2 * 512 },
		[KP_SUM_UNCLAIMED] = { 2, 1, 2 * 512 },
		[KP_SUM_ALLOCS] = { 6, 1, 2 * 512 },
		[KP_SUM_FREES] = { 1, 1, 2 * 512 },
	};
	struct kho_pool_request req = { .size = BLOCK, .flags = KHO_POOL_NOZERO };
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	phys_addr_t phys;

	begin(0);
	cpus = 512;
	add_region(2 * GIB, 0, false);
	add_region(GIB, 0, false);
	add_region(GIB, 0, false);
	boot();
	owner = kho_pool_register_owner(pool, "one");
	for (u32 i = 0; i < 4; i++) {
		req.nid = i == 0;
		req.name = (char []){ 'a' + i, 0 };
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	}
	CHECK(kexec());
	kp_state.region[2].state = KHO_POOL_REGION_BAD_SUM;
	for (u32 i = 0; i < 3; i++)
		kp_state.region[i].index_size = i == 1 ? 100 : 10;
	owner = kho_pool_register_owner(pool, "one");
	CHECK_EQ(kho_pool_claim(owner, "b", &ext), 0);
	CHECK_EQ(kho_pool_claim(owner, "c", &ext), 0);
	req.name = NULL;
	for (u32 i = 0; i < 6; i++) {
		this_cpu = 100 * i;
		req.nid = i == 5;
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
	}
	this_cpu = 0;
	CHECK_EQ(kho_pool_free(owner, phys, BLOCK), 0);
	for (u32 i = 0; i < 800; i++)
		CHECK_EQ(kp_index_bad(&kp_state.region[i < 300].idx, 1000 + 2 * i), 0);
	for (u32 i = 0; i < ARRAY_SIZE(sum); i++) {
		beside_reads = 0;
		CHECK_EQ(kp_node_sum(pool, NUMA_NO_NODE, i), sum[i].all);
		CHECK_EQ(beside_reads, sum[i].reads);
		CHECK_EQ(kp_node_sum(pool, 1, i), sum[i].node1);
		CHECK_EQ(kp_node_sum(pool, 0, i), sum[i].all - sum[i].node1);
		CHECK_EQ(kp_node_sum(pool, 2, i), 0);
		CHECK_EQ(beside_reads, 2 * sum[i].reads);
	}
	kp_state.region[2].state = KHO_POOL_REGION_OK;
	return end();
}

static int count_extent(const struct kho_pool_extent *ext, void *data)
{
	++*(u32 *)data;
	return 0;
}

static u32 extents_of(struct kho_pool *of)
{
	u32 nr = 0;

	kho_pool_walk(of, count_extent, &nr);
	return nr;
}

static int claimed_of(struct kho_pool_owner *owner)
{
	u32 nr = 0;

	return kho_pool_claim_all(owner, count_extent, &nr) ?: nr;
}

static bool pools_by_name(void)
{
	begin(2 * MIB2);
	CHECK(!kho_pool_next(pool));
	add_region(2 * MIB2, 1, true);
	boot();
	CHECK(kho_pool_find(NULL) == pool && kho_pool_find("pool") == pool);
	CHECK(kho_pool_find("other") == other_pool);
	CHECK(!kho_pool_find("othe") && !kho_pool_find("others") && !kho_pool_find(""));
	CHECK(kho_pool_next(NULL) == pool && kho_pool_next(pool) == other_pool);
	CHECK(!kho_pool_next(other_pool));
	CHECK(!strcmp(kho_pool_name(pool), "pool"));
	CHECK(!strcmp(kho_pool_name(other_pool), "other"));
	/* There may be none. */
	memset(&kp_state, 0, sizeof(kp_state));
	CHECK(!kho_pool_find(NULL) && !kho_pool_find("") && !kho_pool_next(NULL));
	boot();
	return end();
}

/* Two pools have extents of the same names, and owners of the same names in other slots. */
static bool two_pools(void)
{
	struct kho_pool_request req = { .nid = NUMA_NO_NODE, .name = "x" };
	struct kho_pool_owner *a[2], *b[2];
	struct kho_pool *in[2];
	struct kho_pool_extent ext;
	phys_addr_t x[2], rest;

	begin(8 * MIB2);
	add_region(8 * MIB2, 1, true);
	boot();
	in[0] = pool;
	in[1] = other_pool;
	CHECK(!kho_pool_in_use());
	for (u32 i = 0; i < 2; i++) {
		a[i] = kho_pool_register_owner(in[i], i ? "b" : "a");
		b[i] = kho_pool_register_owner(in[i], i ? "a" : "b");
		req.size = BLOCK << i;
		req.name = "x";
		CHECK_EQ(kho_pool_alloc(b[i], &req, &x[i]), 0);
		req.name = NULL;
		CHECK_EQ(kho_pool_alloc(a[i], &req, &rest), 0);
		CHECK_EQ(extents_of(in[i]), 2);
	}
	CHECK(kho_pool_in_use());
	CHECK_EQ(kp_pool_extents(), 4);
	for (u32 i = 0; i < 2; i++) {
		CHECK_EQ(kho_pool_lookup(in[i], "x", &ext), 0);
		CHECK_EQ(ext.phys, x[i]);
		CHECK_EQ(ext.size, BLOCK << i);
		CHECK_EQ(ext.nid, i);
		CHECK(!strcmp(ext.owner, i ? "a" : "b") && !strcmp(ext.name, "x"));
		CHECK(!ext.unclaimed);
		/* Not out of another pool, though the slot is the same, nor into one */
		CHECK_EQ(kho_pool_free(b[!i], x[i], BLOCK << i), -EINVAL);
		CHECK_EQ(in[!i]->bad_frees.counter, 1);
		CHECK_EQ(kho_pool_assign(b[!i], a[!i], x[i], BLOCK << i), -EINVAL);
		CHECK_EQ(kho_pool_assign(b[i], a[!i], x[i], BLOCK << i), -EINVAL);
		CHECK_EQ(kho_pool_assign(b[i], a[i], x[i], BLOCK << i), 0);
		CHECK_EQ(kho_pool_assign(b[i], a[i], x[i], BLOCK << i), -EINVAL);
		CHECK_EQ(kho_pool_assign(a[i], b[i], x[i], BLOCK << i), 0);
	}
	CHECK(kexec());
	for (u32 i = 0; i < 2; i++) {
		a[i] = kho_pool_register_owner(in[i], i ? "b" : "a");
		b[i] = kho_pool_register_owner(in[i], i ? "a" : "b");
	}
	memset(&ext, 0x5a, sizeof(ext));
	CHECK_EQ(kho_pool_claim(a[0], "x", &ext), -EACCES);
	CHECK_EQ(kho_pool_claim(b[0], "y", &ext), -ENOENT);
	CHECK_EQ(kho_pool_claim(b[0], "x", &ext), 0);
	CHECK(ext.phys == x[0] && ext.size == BLOCK && !ext.unclaimed);
	/* Nothing of that was in the other one. */
	CHECK_EQ(kho_pool_lookup(other_pool, "x", &ext), 0);
	CHECK(ext.phys == x[1] && ext.unclaimed);
	CHECK_EQ(kho_pool_release(pool, "x"), -EBUSY);
	CHECK_EQ(kho_pool_release(other_pool, "x"), 0);
	CHECK_EQ(kho_pool_release(other_pool, "x"), -ENOENT);
	CHECK_EQ(kho_pool_lookup(pool, "x", &ext), 0);
	CHECK_EQ(kho_pool_release_owner(other_pool, "a"), -ENOENT);
	CHECK_EQ(kho_pool_release_owner(other_pool, "b"), 1);
	CHECK_EQ(extents_of(pool), 2);
	CHECK_EQ(extents_of(other_pool), 0);
	CHECK_EQ(claimed_of(a[0]), 1);
	CHECK_EQ(claimed_of(a[1]), 0);
	CHECK_EQ(kho_pool_free(b[0], x[0], BLOCK), 0);
	CHECK_EQ(kp_pool_extents(), 1);
	return end();
}

/* Of two owners, and of two extents, whose names differ in the last byte there may be */
static bool longest_names(void)
{
	char owner_name[] = "owner-of-thirty-one-bytes-in-al?";
	char name[] = "extent-of-55-bytes-that-differs-in-the-last-of-them-x-?";
	struct kho_pool_request req = { .size = 4096, .nid = NUMA_NO_NODE, .name = name };
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext;
	phys_addr_t phys[2];

	begin(4 * MIB2);
	CHECK_EQ(sizeof(name), KHO_POOL_NAME_MAX);
	CHECK_EQ(sizeof(owner_name), KHO_POOL_OWNER_MAX + 1);
	CHECK_EQ(PTR_ERR(kho_pool_register_owner(pool, owner_name)), -EINVAL);
	owner_name[KHO_POOL_OWNER_MAX - 1] = 0;
	for (u32 i = 0; i < 2; i++) {
		owner_name[KHO_POOL_OWNER_MAX - 2] = '0' + i;
		name[KHO_POOL_NAME_MAX - 2] = '0' + i;
		owner = kho_pool_register_owner(pool, owner_name);
		CHECK(!IS_ERR(owner));
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys[i]), 0);
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys[i]), -EEXIST);
	}
	req.name = "extent-of-56-bytes-that-has-one-more-than-there-may-be-x";
	CHECK_EQ(kho_pool_alloc(owner, &req, &phys[0]), -EINVAL);
	CHECK(kexec());
	for (u32 i = 0; i < 2; i++) {
		owner_name[KHO_POOL_OWNER_MAX - 2] = '0' + i;
		name[KHO_POOL_NAME_MAX - 2] = '0' + i;
		memset(&ext, 0x5a, sizeof(ext));
		CHECK_EQ(kho_pool_lookup(pool, name, &ext), 0);
		CHECK_EQ(ext.phys, phys[i]);
		CHECK(ext.unclaimed);
		CHECK(!strcmp(ext.owner, owner_name) && !strcmp(ext.name, name));
		owner = kho_pool_register_owner(pool, owner_name);
		CHECK_EQ(kho_pool_claim(owner, name, &ext), 0);
		CHECK_EQ(kho_pool_claim(owner, name, &ext), -EALREADY);
	}
	return end();
}

/* Where the memory is, and where it has errors */
static bool memory_and_errors(void)
{
	struct kho_pool_request req = { .size = 3 * BLOCK, .nid = NUMA_NO_NODE };
	struct kho_pool_owner *owner;
	struct kho_pool_extent ext = {};
	phys_addr_t phys, at;

	begin(8 * MIB2);
	add_region(8 * MIB2, 1, true);
	boot();
	owner = kho_pool_register_owner(pool, "one");
	for (u32 i = 0; i < 2; i++)
		CHECK_EQ(kho_pool_alloc(owner, &req, &ext.phys), 0);
	ext.size = req.size;
	CHECK(ext.phys > m[0].base << SHIFT);
	CHECK(ext.phys + ext.size < (m[0].base + m[0].frames) << SHIFT);
	CHECK(kho_pool_virt(ext.phys) == (u8 *)memory[0] + ext.phys - (m[0].base << SHIFT));
	at = ext.phys;
	CHECK(!kho_pool_next_bad(pool, &at));
	CHECK(!kho_pool_has_bad(pool, &ext));
	/* One right before it, one right behind it */
	CHECK(kho_pool_memory_failure((ext.phys >> SHIFT) - 1));
	CHECK(kho_pool_memory_failure((ext.phys + ext.size) >> SHIFT));
	CHECK(!kho_pool_has_bad(pool, &ext));
	phys = ext.phys + BLOCK + 5 * PAGE_SIZE;
	CHECK(kho_pool_memory_failure(phys >> SHIFT));
	CHECK(kho_pool_memory_failure((phys >> SHIFT) + 1));
	CHECK(kho_pool_has_bad(pool, &ext));
	/* From within a page, too; only in the pool that it is in */
	at = ext.phys + 123;
	CHECK(kho_pool_next_bad(pool, &at));
	CHECK_EQ(at, phys);
	at = phys + PAGE_SIZE;
	CHECK(kho_pool_next_bad(pool, &at));
	CHECK_EQ(at, phys + PAGE_SIZE);
	at = phys;
	CHECK(!kho_pool_next_bad(other_pool, &at));
	at = m[1].base << SHIFT;
	CHECK(!kho_pool_next_bad(other_pool, &at));
	CHECK(!kho_pool_next_bad(pool, &at));
	/* Between the two and before both there is nothing. */
	at = (m[1].base << SHIFT) - 1;
	CHECK(!kho_pool_next_bad(pool, &at));
	at = 0;
	CHECK(!kho_pool_next_bad(pool, &at));
	CHECK(!kho_pool_memory_failure(m[1].base - 1));
	CHECK(!kho_pool_memory_failure(0));
	CHECK_EQ(kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_BAD_FRAMES), 4);
	CHECK_EQ(kp_node_sum(other_pool, NUMA_NO_NODE, KP_SUM_BAD_FRAMES), 0);
	return end();
}

/* The first region has only holes of one frame: that is not found out each time. */
static bool first_exhausted(void)
{
	static const struct { u64 size; const char *name; } sizes[] = {
		{ 8192, NULL }, { BLOCK / 2, NULL }, { BLOCK, NULL }, { 5 * BLOCK, NULL },
		{ 4096, "a" }, { BLOCK, "b" },
	};
	struct kho_pool_request req = { .flags = KHO_POOL_NOZERO };
	unsigned long reads[2] = {};	/* at most: the first time, later on */
	struct kho_pool_owner *owner;
	phys_addr_t phys, small;
	u64 frame;

	begin(0);
	add_region(4 * GIB, 0, false);
	add_region(4 * GIB, 0, false);
	for (u64 at = 0; at < m[0].frames; at += 128) {
		CHECK_EQ(get(&m[0], 126, 1, 1, NULL, &frame), 0);
		CHECK_EQ(get(&m[0], 1, 1, 1, NULL, &frame), 0);
		CHECK_EQ(get(&m[0], 1, 1, 1, NULL, &frame), 0);
	}
	for (u64 at = 0; at < m[0].frames; at += 128)
		CHECK_EQ(put(&m[0], at + 126, 1, 1), 0);
	boot();
	owner = kho_pool_register_owner(pool, "one");
	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (u32 again = 0; again < 10; again++) {
			unsigned long *most = &reads[!!again];

			req.size = sizes[i].size;
			req.name = sizes[i].name;
			beside_reads = 0;
			CHECK_EQ(kho_pool_alloc(owner, &req, &phys), 0);
			*most = max(*most, beside_reads);
			CHECK(phys >= m[1].base << SHIFT);
			CHECK_EQ(kho_pool_free(owner, phys, req.size), 0);
			/* What cannot serve comes and goes. */
			req.size = 4096;
			req.name = NULL;
			CHECK_EQ(kho_pool_alloc(owner, &req, &small), 0);
			CHECK(small < m[1].base << SHIFT);
			CHECK_EQ(kho_pool_free(owner, small, req.size), 0);
		}
	}
	printf("# at most %lu reads at first, then %lu\n", reads[0], reads[1]);
	CHECK(reads[0] > 5000);
	CHECK(reads[1] < 200);
	return end();
}

/* What another CPU does before each search of an allocation that is not met */
static u32 searches, frees_at;
static phys_addr_t moved;
static struct kho_pool_owner *mover;

static void before_search(void)
{
	struct kho_pool_request req = { .size = BLOCK, .nid = 0, .flags = KHO_POOL_NOZERO };

	if (searches++ & 1)
		return;
	if (kho_pool_free(mover, moved, BLOCK))
		return;
	if (searches / 2 + 1 != frees_at && kho_pool_alloc(mover, &req, &moved))
		moved = 0;
}

/* If others free something each time, a search is repeated 16 times, neither less nor more. */
static bool repeated(void)
{
	struct kho_pool_request req = { .size = BLOCK, .flags = KHO_POOL_NOZERO };
	struct kho_pool_owner *owner;
	phys_addr_t phys;

	begin(4 * MIB2);
	owner = kho_pool_register_owner(pool, "one");
	mover = kho_pool_register_owner(pool, "two");
	while (!kho_pool_alloc(mover, &req, &moved))
		;
	CHECK_EQ(pool->failures.counter, 1);
	/* The block is there at last, or too late. */
	for (frees_at = 1; frees_at < 20; frees_at++) {
		searches = 0;
		req.nid = 1;
		shim_when_far = before_search;
		CHECK_EQ(kho_pool_alloc(owner, &req, &phys), frees_at <= 17 ? 0 : -ENOMEM);
		shim_when_far = NULL;
		CHECK_EQ(searches / 2, min(frees_at, 17));
		if (frees_at > 17)
			continue;
		CHECK_EQ(kho_pool_free(owner, phys, BLOCK), 0);
		req.nid = 0;
		CHECK_EQ(kho_pool_alloc(mover, &req, &moved), 0);
	}
	CHECK_EQ(pool->failures.counter, 3);
	return end();
}

int main(void)
{
	static const struct test tests[] = {
		{ "owner_belongs", owner_belongs },
		{ "slots_come_back", slots_come_back },
		{ "owners_in_steps", owners_in_steps },
		{ "owners_in_part", owners_in_part },
		{ "claimed_just_now", claimed_just_now },
		{ "contexts", contexts },
		{ "killed", killed },
		{ "cleared", cleared },
		{ "sums", sums },
		{ "pools_by_name", pools_by_name },
		{ "two_pools", two_pools },
		{ "longest_names", longest_names },
		{ "memory_and_errors", memory_and_errors },
		{ "first_exhausted", first_exhausted },
		{ "repeated", repeated },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
