// SPDX-License-Identifier: GPL-2.0-only
/*
 * An operation of a pool while another CPU runs a second one, at each point of the first
 * at which that is possible: between two locks, and before each read without one.
 */
#include "region.h"
#include "test.h"

#include "../../../mm/kho_pool/pool.h"

#define CPUS	4
#define BLOCK	(MIB2 << SHIFT)

__thread u32 this_cpu;
int beside_held;
unsigned long beside_reads;

static struct region m, far;	/* the second one is on another node, if there is one */
static struct kho_pool *pool;
static struct kho_pool_owner *one, *two;
static void (*other)(void);	/* what the other CPU does */
static u64 points, chosen;	/* how often it could have, and when it does */
static const char *wrong;
static bool both_name;		/* both CPUs take name_lock */

void *phys_to_virt(phys_addr_t phys)
{
	return NULL;
}

bool beside_ignores(const raw_spinlock_t *lock)
{
	return lock == &kp_state.pool[0].name_lock && !both_name;
}

void beside_point(void)
{
	void (*now)(void) = other;

	if (!now || beside_held || points++ != chosen)
		return;
	other = NULL;
	this_cpu = 1;
	now();
	this_cpu = 0;
}

static void add_region(const struct region *from)
{
	struct kp_region *r = &kp_state.region[kp_state.nr_regions];

	r->nid = kp_state.nr_regions++;
	r->idx = from->idx;
	r->pool = pool;
	r->base = from->base << SHIFT;
	r->size = from->frames << SHIFT;
	pool->region[pool->nr_regions++] = r;
}

static void boot(void)
{
	kp_state.nr_pools = 1;
	kp_state.nr_regions = 0;
	pool = &kp_state.pool[0];
	memset(pool, 0, sizeof(*pool));
	add_region(&m);
	if (far.index)
		add_region(&far);
	one = kho_pool_register_owner(pool, "one");
	two = kho_pool_register_owner(pool, "two");
}

static void begin(u64 frames)
{
	region_init(&m, GIB, frames, CPUS);
	boot();
}

static void kexec(void)
{
	m.idx = kp_state.region[0].idx;
	if (region_restore(&m, NULL))
		wrong = "restore";
	boot();
}

static void end(void)
{
	other = NULL;
	if (kp_index_validate(&kp_state.region[0].idx))
		wrong = "validate";
	region_exit(&m);
	if (far.index)
		region_exit(&far);
	memset(&far, 0, sizeof(far));
}

static phys_addr_t take(struct kho_pool_owner *owner, u64 size, const char *name)
{
	struct kho_pool_request req = {
		.size = size, .nid = NUMA_NO_NODE, .flags = KHO_POOL_NOZERO, .name = name,
	};
	phys_addr_t phys = 0;

	if (kho_pool_alloc(owner, &req, &phys))
		wrong = "alloc";
	return phys;
}

/*
 * Run a test with the other CPU's operation at each point in turn, until it is over before
 * that comes.
 */
static bool everywhere(void (*test)(void))
{
	wrong = NULL;
	for (chosen = 0; !wrong; chosen++) {
		points = 0;
		test();
		if (points <= chosen)
			break;
	}
	if (wrong)
		printf("# %s, when the other CPU comes at point %llu\n", wrong,
		       (unsigned long long)chosen);
	CHECK(!wrong);
	printf("# at %llu points\n", (unsigned long long)chosen);
	CHECK(chosen > 2);
	return true;
}

static phys_addr_t x, y;

static void reuse_x(void)
{
	if (kho_pool_free(one, x, BLOCK))
		wrong = "free";
	y = take(two, BLOCK, NULL);
}

/* What is claimed by name is freed, and its place is another owner's. */
static void claim_x(void)
{
	struct kho_pool_extent ext;
	int err;

	begin(8 * MIB2);
	for (int i = 0; i < 7; i++)
		take(one, BLOCK, NULL);
	x = take(one, BLOCK, "x");
	kexec();
	other = reuse_x;
	err = kho_pool_claim(one, "x", &ext);
	if (err && err != -ENOENT)
		wrong = "claim: an error that says that there is such an extent";
	else if (!err && (ext.phys != x || strcmp(ext.owner, "one")))
		wrong = "claim: another extent";
	end();
}

static bool claim(void)
{
	return everywhere(claim_x);
}

static void free_x(void)
{
	if (kho_pool_free(one, x, BLOCK))
		wrong = "free";
}

static int see(const struct kho_pool_extent *ext, void *data)
{
	const char *is = ext->phys == x ? "guest-0123456789b" : "guest-0123456789";

	if (strcmp(ext->name, is))
		wrong = "walk: another extent's name";
	return 0;
}

static void walk_names(void)
{
	begin(8 * MIB2);
	x = take(one, BLOCK, "guest-0123456789b");
	take(one, BLOCK, "guest-0123456789");
	other = free_x;
	kho_pool_walk(pool, see, NULL);
	end();
}

/* A place whose extent changes has the old one's name or the new one's. */
static void renew_x(void)
{
	if (kho_pool_free(one, x, BLOCK))
		wrong = "free";
	y = take(one, BLOCK, NULL);
	if (y != x)
		wrong = "it is to be at the same place";
}

static int see_either(const struct kho_pool_extent *ext, void *data)
{
	if (ext->phys == x && ext->name[0] && strcmp(ext->name, "old"))
		wrong = "walk: a name that it never had";
	return 0;
}

static void walk_renewed(void)
{
	begin(2 * MIB2);
	take(one, BLOCK, "other");
	x = take(one, BLOCK, "old");
	other = renew_x;
	kho_pool_walk(pool, see_either, NULL);
	end();
}

static bool walk(void)
{
	CHECK(everywhere(walk_names));
	return everywhere(walk_renewed);
}

static int freed;

static void perhaps_free_x(void)
{
	freed = !kho_pool_free(one, x, BLOCK);
}

/* Its owner frees one of those that are given up. */
static void release_all(void)
{
	int nr;

	freed = 0;
	begin(8 * MIB2);
	for (int i = 0; i < 5; i++) {
		phys_addr_t phys = take(one, BLOCK, i & 1 ? NULL : (char []){ 'a' + i, 0 });

		if (i == 2)
			x = phys;
	}
	kexec();
	other = perhaps_free_x;
	nr = kho_pool_release_owner(pool, "one");
	if (nr + freed != 5)
		wrong = "release_owner: not as many as there were";
	if (kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_EXTENTS) ||
	    kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_UNCLAIMED))
		wrong = "release_owner: some are left";
	end();
}

static bool release(void)
{
	return everywhere(release_all);
}

/* One CPU's extent goes while it is counted, and another has come. */
static void move_x(void)
{
	y = take(one, BLOCK, NULL);
	if (kho_pool_free(one, x, BLOCK))
		wrong = "free";
}

static void count_extents(void)
{
	u64 nr;

	begin(8 * MIB2);
	this_cpu = 3;
	x = take(one, BLOCK, NULL);
	this_cpu = 0;
	other = move_x;
	if (kp_pool_extents() < 1)
		wrong = "fewer extents than there were at any moment";
	other = points > chosen ? NULL : move_x;
	nr = kp_node_sum(pool, NUMA_NO_NODE, KP_SUM_EXTENTS);
	if (nr < 1 || nr > 2)
		wrong = "statistics: a number of extents that there never was";
	nr = kp_index_used(&kp_state.region[0].idx);
	if (nr < MIB2 || nr > 2 * MIB2)
		wrong = "statistics: as many frames as were never used";
	end();
}

static bool counts(void)
{
	return everywhere(count_extents);
}

/* All but one block is taken, and that is now in one region and now in the other. */
static phys_addr_t near_block;

static int take_on(int nid, phys_addr_t *phys)
{
	struct kho_pool_request req = {
		.size = BLOCK, .nid = nid, .flags = KHO_POOL_NOZERO | KHO_POOL_THISNODE,
	};

	return kho_pool_alloc(two, &req, phys);
}

static void move_block(void)
{
	if (kho_pool_free(two, near_block, BLOCK))
		wrong = "free";
	/* Unless it was taken by then. */
	take_on(1, &y);
}

static void take_moving(void)
{
	struct kho_pool_request req = { .size = BLOCK, .nid = 0, .flags = KHO_POOL_NOZERO };
	phys_addr_t phys;

	region_init(&far, 4 * GIB, 2 * MIB2, CPUS);
	begin(2 * MIB2);
	if (take_on(0, &near_block) || take_on(0, &phys) || take_on(1, &phys))
		wrong = "fill";
	/* Something was freed before. */
	if (take_on(1, &phys) || kho_pool_free(two, phys, BLOCK))
		wrong = "free";
	other = move_block;
	if (kho_pool_alloc(one, &req, &phys))
		wrong = "refused, though a block was free at every moment";
	end();
}

static void none_left(void)
{
	struct kho_pool_request req = { .size = BLOCK, .nid = 0, .flags = KHO_POOL_NOZERO };
	phys_addr_t phys;

	begin(2 * MIB2);
	x = take(one, BLOCK, NULL);
	take(one, BLOCK, NULL);
	other = reuse_x;
	if (!kho_pool_alloc(one, &req, &phys) && phys == y)
		wrong = "the same block twice";
	end();
}

static bool moving(void)
{
	CHECK(everywhere(take_moving));
	return everywhere(none_left);
}

/* Refused or not: once the other CPU has freed something, it is there. */
static u64 refused_size, freed_size;
static bool already_known;

static void free_one(void)
{
	if (kho_pool_free(one, x, freed_size))
		wrong = "free";
}

static void refuse_and_free(void)
{
	struct kho_pool_request req = {
		.size = refused_size, .nid = 0, .flags = KHO_POOL_NOZERO,
	};
	phys_addr_t phys;
	int err;

	begin(4 * MIB2);
	x = take(one, freed_size, NULL);
	while (!kho_pool_alloc(one, &req, &phys))
		;
	/* That it was refused is known now. */
	if (!already_known)
		kp_refused_loosen(&kp_state.region[0].idx,
				  &(struct kp_gain){ .kind = KP_ANY_KIND, .run = ~0U });
	other = free_one;
	err = kho_pool_alloc(one, &req, &phys);
	if (!other && err && kho_pool_alloc(one, &req, &phys))
		wrong = "what was refused once is refused for ever";
	end();
}

static bool refused(void)
{
	for (u32 i = 0; i < 2; i++) {
		already_known = i;
		refused_size = BLOCK;
		freed_size = BLOCK;
		CHECK(everywhere(refuse_and_free));
		refused_size = BLOCK / 4;
		CHECK(everywhere(refuse_and_free));
		freed_size = BLOCK / 4;
		CHECK(everywhere(refuse_and_free));
	}
	return true;
}

static int named_err[2];

static void take_name(void)
{
	struct kho_pool_request req = {
		.size = BLOCK, .nid = 1, .flags = KHO_POOL_NOZERO, .name = "name",
	};
	phys_addr_t phys;

	named_err[1] = kho_pool_alloc(two, &req, &phys);
}

/* One of the two CPUs has the name, whichever region each looks in. */
static void name_twice(void)
{
	struct kho_pool_request req = {
		.size = BLOCK, .nid = 0, .flags = KHO_POOL_NOZERO, .name = "name",
	};
	struct kho_pool_extent ext;
	phys_addr_t phys;

	region_init(&far, 4 * GIB, 2 * MIB2, CPUS);
	begin(2 * MIB2);
	named_err[1] = -EEXIST;
	other = take_name;
	named_err[0] = kho_pool_alloc(one, &req, &phys);
	if (named_err[0] + named_err[1] != -EEXIST)
		wrong = "two extents of one name, or none";
	if (kho_pool_lookup(pool, "name", &ext))
		wrong = "look-up";
	if (pool->named)
		wrong = "the name is still reserved";
	end();
}

static bool name(void)
{
	bool done;

	both_name = true;
	done = everywhere(name_twice);
	both_name = false;
	return done;
}

/* While one CPU looks for owners without extents, another one comes, allocates and goes. */
static void come_and_go(void)
{
	struct kho_pool_owner *owner = kho_pool_register_owner(pool, "owner5");

	if (IS_ERR(owner))
		return;
	x = take(owner, BLOCK, "of5");
	kho_pool_unregister_owner(owner);
}

static void collect(void)
{
	struct kho_pool_extent ext;
	char name[16];

	begin(8 * MIB2);
	for (u32 i = 0; i < KHO_POOL_OWNERS - 3; i++) {
		snprintf(name, sizeof(name), "owner%u", i);
		if (IS_ERR(kho_pool_register_owner(pool, name)))
			wrong = "register";
	}
	kexec();
	other = come_and_go;
	if (IS_ERR(kho_pool_register_owner(pool, "new")))
		wrong = "no owner makes room";
	if (!other && kho_pool_lookup(pool, "of5", &ext) == 0 && strcmp(ext.owner, "owner5"))
		wrong = "an extent has no owner";
	end();
}

static bool collected(void)
{
	bool done;

	both_name = true;
	done = everywhere(collect);
	both_name = false;
	return done;
}

/* Without a node, a CPU gets memory of its own. */
static bool local_node(void)
{
	region_init(&far, 4 * GIB, 2 * MIB2, CPUS);
	begin(2 * MIB2);
	wrong = NULL;
	for (this_cpu = 0; this_cpu < 2; this_cpu++) {
		CHECK_EQ(take(one, BLOCK, NULL) >= far.base << SHIFT, this_cpu);
		CHECK_EQ(take(one, BLOCK, &"ab"[this_cpu]) >= far.base << SHIFT, this_cpu);
	}
	this_cpu = 0;
	end();
	CHECK(!wrong);
	return true;
}

/*
 * One area has room; each of the others is full and has a block in which another owner's
 * small extents leave some.  How many steps does a small extent take whose CPU has no hint?
 */
static bool steps_in(u32 nr_areas, u64 *steps)
{
	struct kp_request req = { .frames = 1, .align = 1, .owner = 2 };
	u64 frame;

	region_init(&m, 0, nr_areas * GIB, CPUS);
	for (u32 a = 0; a + 1 < nr_areas; a++) {
		CHECK_EQ(get(&m, 300, 1, 1, NULL, &frame), 0);
		CHECK_EQ(get(&m, 511 * MIB2, 1, 1, NULL, &frame), 0);
	}
	points = 0;
	chosen = ~0ULL;
	other = free_x;
	CHECK_EQ(whole_alloc(&m.idx, &m.idx.pcpu[1], &req, &frame), 0);
	other = NULL;
	*steps = points;
	CHECK_EQ(kp_index_validate(&m.idx), 0);
	region_exit(&m);
	return true;
}

static bool few_steps(void)
{
	u64 few, many;

	CHECK(steps_in(8, &few));
	CHECK(steps_in(512, &many));
	printf("# %llu steps with 8 areas, %llu with 512\n", (unsigned long long)few,
	       (unsigned long long)many);
	/* A look at each 64 areas, in each stage */
	CHECK(many <= few + 5 * 512 / 64);
	return true;
}

/* One extent of a whole region, and a small one before that, for there to be hints */
static bool reads_of_all(u32 nr_areas, u64 *reads)
{
	u64 frame;

	region_init(&m, 0, nr_areas * GIB, CPUS);
	CHECK_EQ(get(&m, GIB, GIB, 1, NULL, &frame), 0);
	CHECK_EQ(put(&m, frame, GIB, 1), 0);
	beside_reads = 0;
	CHECK_EQ(get(&m, nr_areas * GIB, 1, 1, NULL, &frame), 0);
	CHECK_EQ(put(&m, frame, nr_areas * GIB, 1), 0);
	*reads = beside_reads;
	CHECK_EQ(get(&m, GIB, GIB, 1, NULL, &frame), 0);
	CHECK_EQ(kp_index_validate(&m.idx), 0);
	region_exit(&m);
	return true;
}

static bool reads_by_area(void)
{
	u64 few, many;

	CHECK(reads_of_all(64, &few));
	CHECK(reads_of_all(4096, &many));
	printf("# %llu reads with 64 areas, %llu with 4096\n", (unsigned long long)few,
	       (unsigned long long)many);
	CHECK(many <= few * 4096 / 64 * 5 / 4);
	return true;
}

int main(int argc, char **argv)
{
	static const struct test tests[] = {
		{ "claim", claim },
		{ "walk", walk },
		{ "release", release },
		{ "counts", counts },
		{ "moving", moving },
		{ "refused", refused },
		{ "name", name },
		{ "collected", collected },
		{ "local_node", local_node },
		{ "few_steps", few_steps },
		{ "reads_by_area", reads_by_area },
	};

	return run_tests(tests, ARRAY_SIZE(tests));
}
