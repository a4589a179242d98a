// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two operations on two CPUs, in every order of their steps in which each is interrupted
 * once: the first goes on until one of its points, then the second until one of its own, then
 * the first to its end, and then the second.  A point is before each access to what CPUs
 * share.  beside_test has whole operations in between only, of whole pools.
 *
 * Whatever the order, the results and the extents must be those of one operation after
 * the other, but for the places of the extents.  The index must be what was sealed, if it
 * was; and if not, it must refuse no more than one that is rebuilt from the same memory.
 */
#include <ucontext.h>

#include "region.h"
#include "test.h"

#define BLOCKS	4
#define BASE	(2 * GIB - 2 * MIB2)	/* in two areas */
#define FRAMES	(BLOCKS * MIB2)
#define EXTENTS	16
#define NEVER	(~0ULL)

static struct region r, again;	/* under test, and rebuilt from its index */
static void *saved_index, *saved_vol;
static struct kp_index saved;

/* What a state has prepared; the same in each run */
static u64 x[EXTENTS];
static struct kp_alloc pending[2], saved_pending[2];
static struct kp_request pending_req[2];
static u64 csum;
static bool sealed;

struct operation {
	const char *name;
	int (*run)(struct kp_pcpu *pcpu);
};

/* Everything that one can know afterwards */
struct outcome {
	int ret[2];
	u32 nr;
	u64 extents, used;
	struct what {
		u64 frames, owner, unclaimed;
		char name[KHO_POOL_NAME_MAX];
	} what[EXTENTS];
};

static struct cpu {
	ucontext_t context;
	char stack[64 << 10];
	const struct operation *op;
	u64 points, stop;	/* passed so far; where the other one goes on */
	bool done;
	int ret;
} cpu[2];

static ucontext_t scheduler;
static u32 running;
static bool scheduled;		/* points count */
static u64 orders, stuck;

static void go_on_with(u32 other)
{
	u32 before = running;

	running = other;
	swapcontext(&cpu[before].context, &cpu[other].context);
}

void interleave_point(void)
{
	struct cpu *c = &cpu[running];

	if (scheduled && c->points++ == c->stop && !cpu[!running].done)
		go_on_with(!running);
}

void interleave_wait(void)
{
	/* For itself, or for one that does not hold the lock any more */
	if (!scheduled || cpu[!running].done || stuck++ > 1000000) {
		fprintf(stderr, "interleave_test: a CPU waits for ever\n");
		exit(2);
	}
	go_on_with(!running);
}

static void run_cpu(void)
{
	struct cpu *c = &cpu[running];

	c->ret = c->op->run(&r.idx.pcpu[running]);
	c->done = true;
	if (cpu[!running].done)
		setcontext(&scheduler);
	running = !running;
	setcontext(&cpu[running].context);
}

static void prepare(struct cpu *c)
{
	getcontext(&c->context);
	c->context.uc_stack.ss_sp = c->stack;
	c->context.uc_stack.ss_size = sizeof(c->stack);
	makecontext(&c->context, run_cpu, 0);
	c->points = 0;
	c->done = false;
}

/* CPU @first goes on until its point @a, the other until @b, then each to its end. */
static void run_both(u32 first, u64 a, u64 b)
{
	prepare(&cpu[0]);
	prepare(&cpu[1]);
	cpu[first].stop = a;
	cpu[!first].stop = b;
	running = first;
	stuck = 0;
	scheduled = true;
	swapcontext(&scheduler, &cpu[first].context);
	scheduled = false;
	orders++;
}

/* States */

static void save(void)
{
	memcpy(saved_index, r.index, r.index_size);
	memcpy(saved_vol, r.vol, r.vol_size);
	saved = r.idx;
	memcpy(saved_pending, pending, sizeof(pending));
}

static void reset(void)
{
	memcpy(r.index, saved_index, r.index_size);
	memcpy(r.vol, saved_vol, r.vol_size);
	r.idx = saved;
	memcpy(pending, saved_pending, sizeof(pending));
	sealed = saved.sealed;
}

static void must(int ret)
{
	if (ret) {
		fprintf(stderr, "interleave_test: a state cannot be made: %d\n", ret);
		exit(2);
	}
}

static void begin(void)
{
	if (r.index)
		region_exit(&r);
	region_init(&r, BASE, FRAMES, 2);
}

/* Four blocks, the last one with a name */
static void full(void)
{
	begin();
	for (u32 i = 0; i < BLOCKS; i++)
		must(get(&r, MIB2, 1, 1, i == BLOCKS - 1 ? "n" : NULL, &x[i]));
}

/* The same, and it is known that nothing is left */
static void refused(void)
{
	u64 frame;

	full();
	for (u64 frames = 1; frames <= 2 * MIB2; frames *= 2)
		while (!get(&r, frames, 1, 1, NULL, &frame))
			;
}

/* A block in two halves, and three blocks */
static void halves(void)
{
	begin();
	must(get(&r, MIB2 / 2, 1, 1, NULL, &x[0]));
	must(get(&r, MIB2 / 2, 1, 1, NULL, &x[1]));
	for (u32 i = 1; i < BLOCKS; i++)
		must(get(&r, MIB2, 1, 1, NULL, &x[i + 1]));
}

static void one(void)
{
	begin();
	must(get(&r, MIB2, 1, 1, "n", &x[0]));
	must(get(&r, 1, 1, 1, NULL, &x[1]));
}

/* Nothing is left where CPUs look first. */
static void second(void)
{
	begin();
	must(get(&r, MIB2, 1, 1, NULL, &x[0]));
	must(get(&r, MIB2, 1, 1, NULL, &x[1]));
}

/* Two blocks are free, in different areas. */
static void middle(void)
{
	full();
	must(put(&r, x[1], MIB2, 1));
	must(put(&r, x[2], MIB2, 1));
}

/* In the next kernel: nothing is claimed */
static void restored(void)
{
	begin();
	must(get(&r, MIB2, 1, 1, NULL, &x[0]));
	must(get(&r, MIB2, 1, 1, "n", &x[1]));
	must(get(&r, 3, 1, 1, NULL, &x[2]));
	must(get(&r, 3, 1, 1, NULL, &x[3]));
	must(region_restore(&r, NULL));
}

/* Not confirmed: a block, or a frame with a name */
static void unconfirmed(u32 i)
{
	int ret;

	begin();
	must(get(&r, 1, 1, 1, NULL, &x[0]));
	pending_req[i] = (struct kp_request){
		.frames = i ? 1 : MIB2, .align = 1, .owner = 1, .clear = true,
		.name = i ? "n" : NULL,
	};
	kp_begin_alloc(&pending[i], &pending_req[i]);
	do
		ret = kp_index_alloc(&r.idx, &r.idx.pcpu[0], &pending[i]);
	while (ret == -EAGAIN);
	must(ret);
	must(!pending[i].unconfirmed);
}

static void block(void) { unconfirmed(0); }
static void frame(void) { unconfirmed(1); }

static void sealed_block(void)
{
	unconfirmed(0);
	must(!kp_index_seal(&r.idx, &csum, 1));
}

static void sealed_frame(void)
{
	unconfirmed(1);
	must(!kp_index_seal(&r.idx, &csum, 1));
}

/* Operations */

static int take(struct kp_pcpu *pcpu, u64 frames, u8 owner, const char *name)
{
	struct kp_request req = { .frames = frames, .align = 1, .owner = owner, .name = name };

	return whole_alloc(&r.idx, pcpu, &req, &(u64){ 0 });
}

/* No area is tried first, as only one block has that alignment. */
static int take_aligned(struct kp_pcpu *pcpu)
{
	struct kp_request req = { .frames = MIB2, .align = 2 * GIB, .owner = 1 };

	return whole_alloc(&r.idx, pcpu, &req, &(u64){ 0 });
}

#define OPERATION(name, call)	static int name(struct kp_pcpu *pcpu) { return call; }

OPERATION(take_frame, take(pcpu, 1, 1, NULL))
OPERATION(take_half, take(pcpu, MIB2 / 2, 1, NULL))
OPERATION(take_block, take(pcpu, MIB2, 1, NULL))
OPERATION(take_two, take(pcpu, 2 * MIB2, 1, NULL))

/* Pools see to it that names differ. */
static int take_named(struct kp_pcpu *pcpu)
{
	return take(pcpu, MIB2, 2, pcpu == r.idx.pcpu ? "n0" : "n1");
}

OPERATION(give_0, whole_free(&r.idx, pcpu, x[0], MIB2, 1))
OPERATION(give_1, whole_free(&r.idx, pcpu, x[1], MIB2, 1))
OPERATION(give_3, whole_free(&r.idx, pcpu, x[3], MIB2, 1))
OPERATION(give_half_0, whole_free(&r.idx, pcpu, x[0], MIB2 / 2, 1))
OPERATION(give_half_1, whole_free(&r.idx, pcpu, x[1], MIB2 / 2, 1))
OPERATION(give_frame_0, whole_free(&r.idx, pcpu, x[0], 1, 1))
OPERATION(give_frame_1, whole_free(&r.idx, pcpu, x[1], 1, 1))
OPERATION(give_3_frames, whole_free(&r.idx, pcpu, x[3], 3, 1))
OPERATION(drop_0, whole_release(&r.idx, pcpu, x[0], MIB2, 1))
OPERATION(drop_1, whole_release(&r.idx, pcpu, x[1], MIB2, 1))
OPERATION(drop_frames, whole_release(&r.idx, pcpu, x[2], 3, 1))
OPERATION(claim_0, kp_index_claim(&r.idx, pcpu, x[0], MIB2, 1))
OPERATION(claim_1, kp_index_claim(&r.idx, pcpu, x[1], MIB2, 1))
OPERATION(claim_frames, kp_index_claim(&r.idx, pcpu, x[2], 3, 1))
OPERATION(assign_0, kp_index_assign(&r.idx, pcpu, x[0], MIB2, 1, 2))
OPERATION(bad_0, kp_index_bad(&r.idx, x[0] + 5))

static int seal(struct kp_pcpu *pcpu)
{
	sealed = true;
	return kp_index_seal(&r.idx, &csum, 1000) ? 0 : -EBUSY;
}

static int unseal(struct kp_pcpu *pcpu)
{
	sealed = false;
	whole_unseal(&r.idx, pcpu);
	return 0;
}

static int confirm(struct kp_pcpu *pcpu, u32 i)
{
	return kp_index_confirm(&r.idx, pcpu, &pending[i]);
}

OPERATION(confirm_block, confirm(pcpu, 0))
OPERATION(confirm_frame, confirm(pcpu, 1))

static int drop(struct kp_pcpu *pcpu, u32 i)
{
	struct kp_rest rest;

	kp_index_drop(&r.idx, pcpu, &pending[i], &rest);
	whole_rest(&r.idx, pcpu, &rest);
	return 0;
}

OPERATION(drop_block, drop(pcpu, 0))
OPERATION(drop_frame, drop(pcpu, 1))

/* Are there at least so many?  The other CPU may free one. */
static int count(struct kp_pcpu *pcpu)
{
	u64 extents = kp_index_extents(&r.idx), used = kp_index_used(&r.idx);

	return extents < 1 || extents > 6 || !used || used > FRAMES + MIB2 ? -ERANGE : 0;
}

static int walk(struct kp_pcpu *pcpu)
{
	struct kp_extent ext;
	u64 pos = 0, last = 0;

	while (whole_next(&r.idx, &pos, &ext)) {
		if (ext.frame < last || (ext.name[0] && strcmp(ext.name, "n")))
			return -ERANGE;
		last = ext.frame + ext.frames;
	}
	return 0;
}

static int find_named(struct kp_pcpu *pcpu)
{
	u64 frame;
	int ret = kp_name_find(&r.idx, "n", &frame);

	return ret ?: frame == x[3] ? 0 : -ERANGE;
}

#define OP(name)	{ #name, name }

static const struct pair {
	const char *state;
	void (*make)(void);
	struct operation op[2];
} pairs[] = {
#define PAIR(state, a, b)	{ #state, state, { OP(a), OP(b) } }
	PAIR(full, take_block, give_0),
	PAIR(full, take_frame, give_0),
	PAIR(full, take_two, give_0),
	PAIR(full, give_0, give_1),
	PAIR(full, give_0, give_0),
	PAIR(full, give_3, give_3),
	PAIR(full, take_named, give_3),
	PAIR(full, assign_0, give_0),
	PAIR(full, assign_0, seal),
	PAIR(full, bad_0, give_0),
	PAIR(full, bad_0, take_block),
	PAIR(full, bad_0, seal),
	PAIR(full, count, give_0),
	PAIR(full, walk, give_3),
	PAIR(full, find_named, give_3),
	PAIR(full, seal, give_0),
	PAIR(full, seal, give_3),
	PAIR(refused, take_block, give_0),
	PAIR(refused, take_frame, give_3),
	PAIR(refused, take_two, give_1),
	PAIR(halves, take_frame, give_half_0),
	PAIR(halves, take_half, give_half_1),
	PAIR(halves, take_block, give_half_0),
	PAIR(halves, give_half_0, give_half_1),
	PAIR(halves, seal, give_half_0),
	PAIR(one, take_block, take_block),
	PAIR(one, take_two, take_two),
	PAIR(one, take_two, take_frame),
	PAIR(one, take_frame, take_frame),
	PAIR(one, take_named, take_named),
	PAIR(one, take_frame, give_frame_1),
	PAIR(one, take_two, give_0),
	PAIR(one, seal, take_block),
	PAIR(one, seal, take_frame),
	PAIR(one, seal, take_two),
	PAIR(one, seal, take_named),
	PAIR(one, count, take_block),
	PAIR(one, walk, take_frame),
	PAIR(second, seal, take_block),
	PAIR(second, seal, take_frame),
	PAIR(second, seal, take_named),
	PAIR(second, seal, take_aligned),
	PAIR(second, take_aligned, take_aligned),
	PAIR(second, take_block, take_two),
	PAIR(second, take_frame, give_1),
	PAIR(second, take_named, take_frame),
	PAIR(middle, seal, take_two),
	PAIR(middle, take_two, take_two),
	PAIR(middle, take_two, take_block),
	PAIR(middle, take_two, take_frame),
	PAIR(middle, take_two, give_0),
	PAIR(restored, claim_0, give_0),
	PAIR(restored, claim_0, claim_0),
	PAIR(restored, claim_0, drop_0),
	PAIR(restored, claim_1, drop_1),
	PAIR(restored, claim_frames, drop_frames),
	PAIR(restored, claim_frames, give_3_frames),
	PAIR(restored, drop_1, drop_1),
	PAIR(restored, seal, claim_0),
	PAIR(restored, seal, drop_1),
	PAIR(block, confirm_block, seal),
	PAIR(block, confirm_block, take_two),
	PAIR(block, drop_block, take_two),
	PAIR(block, drop_block, take_frame),
	PAIR(block, drop_block, seal),
	PAIR(frame, confirm_frame, seal),
	PAIR(frame, confirm_frame, give_frame_0),
	PAIR(frame, drop_frame, take_frame),
	PAIR(frame, drop_frame, give_frame_0),
	PAIR(frame, drop_frame, seal),
	PAIR(sealed_block, unseal, confirm_block),
	PAIR(sealed_block, unseal, drop_block),
	PAIR(sealed_frame, unseal, confirm_frame),
	PAIR(sealed_frame, unseal, drop_frame),
};

/* What is there afterwards */

static int by_all(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct what));
}

static void look(struct outcome *out)
{
	struct kp_extent ext;
	u64 pos = 0;

	memset(out, 0, sizeof(*out));
	out->ret[0] = cpu[0].ret;
	out->ret[1] = cpu[1].ret;
	out->extents = kp_index_extents(&r.idx);
	out->used = kp_index_used(&r.idx);
	while (whole_next(&r.idx, &pos, &ext) && out->nr < EXTENTS) {
		struct what *w = &out->what[out->nr++];

		w->frames = ext.frames;
		w->owner = ext.owner;
		w->unclaimed = ext.unclaimed;
		strscpy(w->name, ext.name, sizeof(w->name));
	}
	qsort(out->what, out->nr, sizeof(*out->what), by_all);
}

/* The same index in the next kernel */
static int rebuild(const u64 *sum)
{
	memcpy(again.index, r.index, r.index_size);
	memset(again.vol, 0, again.vol_size);
	memset(&again.idx, 0, sizeof(again.idx));
	return kp_index_attach(&again.idx, again.index, again.index_size, BASE, FRAMES, SHIFT,
			       again.vol, 2) ?: kp_index_restore(&again.idx, sum);
}

/* No more is put into blocks of small extents before they are claimed. */
static void claim_same(void)
{
	struct kp_extent ext;
	u64 pos = 0;

	while (whole_next(&r.idx, &pos, &ext))
		if (!ext.unclaimed)
			kp_index_claim(&again.idx, again.idx.pcpu, ext.frame, ext.frames,
				       ext.owner);
}

/* What one of them has room for, the other has room for. */
static bool same_room(void)
{
	static const u64 sizes[] = { 4 * MIB2, 3 * MIB2, 2 * MIB2, MIB2, MIB2 / 2, 2, 1 };

	for (u32 i = 0; i < ARRAY_SIZE(sizes); i++) {
		u64 mine = 0, other = 0;
		int ret = get(&r, sizes[i], 1, 1, NULL, &mine);

		CHECK_EQ(get(&again, sizes[i], 1, 1, NULL, &other), ret);
		if (!ret && (put(&r, mine, sizes[i], 1) || put(&again, other, sizes[i], 1)))
			return false;
	}
	return true;
}

static bool check(const struct outcome *serial)
{
	struct outcome now;

	/* What came too late is left for the sweep after an unseal. */
	if (!sealed)
		CHECK_EQ(kp_index_validate(&r.idx), 0);
	look(&now);
	if (memcmp(&now, &serial[0], sizeof(now)) && memcmp(&now, &serial[1], sizeof(now))) {
		for (u32 i = 0; i < 3; i++) {
			const struct outcome *o = i ? &serial[i - 1] : &now;

			printf("# %s: %d, %d; %u extents (%llu, of %llu frames)\n",
			       i ? "one by one" : "seen", o->ret[0], o->ret[1], o->nr,
			       (unsigned long long)o->extents, (unsigned long long)o->used);
		}
		return false;
	}
	if (sealed) {
		CHECK_EQ(rebuild(&csum), 0);
		CHECK_EQ(kp_index_validate(&again.idx), 0);
		return true;
	}
	CHECK_EQ(rebuild(NULL), 0);
	claim_same();
	CHECK_EQ(kp_index_validate(&again.idx), 0);
	return same_room();
}

static bool run_pair(const struct pair *pair)
{
	struct outcome serial[2];
	u64 before = orders;

	pair->make();
	save();
	for (u32 i = 0; i < 2; i++)
		cpu[i].op = &pair->op[i];
	for (u32 i = 0; i < 2; i++) {
		reset();
		run_both(i, NEVER, NEVER);
		look(&serial[i]);
	}
	for (u32 first = 0; first < 2; first++)
		for (u64 a = 0, all_a = NEVER; a < all_a; a++)
			for (u64 b = 0, all_b = NEVER; b < all_b; b++) {
				reset();
				run_both(first, a, b);
				if (cpu[first].points <= a)
					all_a = 0;
				if (!all_a || cpu[!first].points <= b)
					all_b = 0;
				if (check(serial))
					continue;
				printf("# %s to its point %llu, %s to its point %llu\n",
				       pair->op[first].name, (unsigned long long)a,
				       pair->op[!first].name, (unsigned long long)b);
				return false;
			}
	printf("# %llu orders\n", (unsigned long long)(orders - before));
	return true;
}

int main(void)
{
	u32 failed = 0;

	region_init(&r, BASE, FRAMES, 2);
	saved_index = malloc(r.index_size);
	saved_vol = malloc(r.vol_size);
	region_init(&again, BASE, FRAMES, 2);

	printf("TAP version 14\n1..%zu\n", ARRAY_SIZE(pairs));
	for (u32 i = 0; i < ARRAY_SIZE(pairs); i++) {
		const struct pair *p = &pairs[i];
		bool ok = run_pair(p);

		failed += !ok;
		printf("%sok %u %s: %s and %s\n", ok ? "" : "not ", i + 1, p->state,
		       p->op[0].name, p->op[1].name);
		fflush(stdout);
	}
	return failed ? 1 : 0;
}
