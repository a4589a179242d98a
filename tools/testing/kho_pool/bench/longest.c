// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest that one operation takes, for so long are interrupts off.
 *
 * The same requests are made several times in the same state, and the least time
 * of each counts: what another program or a hypervisor took of the CPU goes, what
 * the code does stays.  Of these the longest is told.
 */
#include "../random.h"
#include "bench.h"
#include "full.h"

#define TIB		(1024 * GIB)
#define STEPS		20000

/* The longest of @nr operations. */
static void report(const char *state, const char *op, double ns, u64 frames, u32 nr)
{
	json_begin("longest");
	json_text("state", state);
	json_text("op", op);
	json_number("ns", ns);
	json_number("frames", frames);
	json_number("of", nr);
	json_end();
}

enum kind { ALLOC, REFUSED, FREE, KINDS };

struct step {
	enum kind kind;
	u64 frames;
	u64 least;		/* ns */
};

static u64 seed;

static u64 rnd(u64 below)
{
	return random_below(&seed, below);
}

struct extent {
	u64 frame, frames;
};

struct churn {
	struct region r;
	struct extent *held;
	u64 nr, used;
	double target;
};

/* 4 KiB to 2 GiB, as many of 4 to 8 KiB as of 1 to 2 GiB. */
static u64 rnd_frames(void)
{
	u64 order = 1ULL << rnd(19);

	return order + rnd(order);
}

static void one_step(struct churn *c, struct step *step)
{
	u64 frames = rnd_frames();
	u64 align = frames >= GIB ? GIB : frames >= MIB2 ? MIB2 : 1;
	struct extent *extent = &c->held[c->nr];
	u64 begin;
	u64 ns;

	if (c->used + frames > c->target * TIB && c->nr) {
		extent = &c->held[rnd(c->nr)];
		step->kind = FREE;
		step->frames = extent->frames;
		begin = now_ns();
		if (put(&c->r, extent->frame, extent->frames, 1))
			exit(2);
		ns = now_ns() - begin;
		c->used -= extent->frames;
		*extent = c->held[--c->nr];
	} else {
		extent->frames = frames;
		step->frames = frames;
		begin = now_ns();
		step->kind = get(&c->r, frames, align, 1, NULL, &extent->frame) ? REFUSED : ALLOC;
		ns = now_ns() - begin;
		if (step->kind == ALLOC) {
			c->used += frames;
			c->nr++;
		}
	}
	if (!step->least || ns < step->least)
		step->least = ns;
}

static void churn(const char *state, double target)
{
	static const char *const kinds[] = { "alloc", "refused alloc", "free" };
	struct step *steps = calloc(STEPS, sizeof(*steps)), warm_up;

	bench_progress("longest operation, %s", state);
	for (int repeat = 0; repeat < (bench_quick ? 3 : 9); repeat++) {
		struct churn c = { .target = target };

		seed = 0x9e3779b97f4a7c15ULL;
		region_init(&c.r, 0, TIB, 2);
		c.held = calloc(1 << 20, sizeof(*c.held));
		for (int i = 0; i < STEPS; i++)
			one_step(&c, &warm_up);
		for (int i = 0; i < STEPS; i++)
			one_step(&c, &steps[i]);
		free(c.held);
		region_exit(&c.r);
	}
	for (enum kind kind = ALLOC; kind < KINDS; kind++) {
		struct step *longest = NULL;
		u32 nr = 0;

		for (int i = 0; i < STEPS; i++) {
			if (steps[i].kind != kind)
				continue;
			nr++;
			if (!longest || steps[i].least > longest->least)
				longest = &steps[i];
		}
		if (longest)
			report(state, kinds[kind], longest->least - clock_cost(), longest->frames,
			       nr);
	}
	free(steps);
}

/* A request that cannot be met. */
static void measure_refusal(struct region *r, const char *state, u64 frames, u8 owner)
{
	double least = 1e18;
	u64 frame;

	for (int repeat = 0; repeat < (bench_quick ? 1 : 5); repeat++) {
		u64 begin = now_ns();

		if (get(r, frames, 1, owner, NULL, &frame) != -ENOMEM) {
			fprintf(stderr, "%llu frames are not refused, %s\n",
				(unsigned long long)frames, state);
			exit(2);
		}
		least = min(least, now_ns() - begin - clock_cost());
	}
	report(state, "refused alloc", least, frames, 1);
}

static void every_second_block(void)
{
	static const u32 blocks[] = {
		2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 62, 63, 64, 65, 96, 128, 256,
		400, 511, 512, 513, 600,
	};
	static const char state[] = "every second block taken";
	struct region r;
	u64 frame;

	bench_progress("longest operation, %s", state);
	region_init(&r, 0, TIB, 2);
	while (!get(&r, MIB2, 2 * MIB2, 1, NULL, &frame))
		;
	for (u32 i = 0; i < ARRAY_SIZE(blocks); i++)
		measure_refusal(&r, state, blocks[i] * MIB2, 1);
	region_exit(&r);
}

static void every_second_frame(void)
{
	static const char state[] = "every second frame taken";
	struct region r;

	bench_progress("longest operation, %s", state);
	region_init(&r, 0, TIB, 2);
	full_write(&r, false);
	measure_refusal(&r, "every second frame taken, not claimed", 1, 1);
	full_claim(&r);
	measure_refusal(&r, state, 2, 1);
	measure_refusal(&r, state, 3, 1);
	measure_refusal(&r, state, 64, 1);
	measure_refusal(&r, state, 511, 1);
	measure_refusal(&r, "every second frame another owner's", 1, 2);
	region_exit(&r);
}

void bench_longest(void)
{
	churn("fragmented", .75);
	churn("nearly full", .97);
	every_second_block();
	every_second_frame();
}
