// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest that one step of an operation takes, for so long are interrupts off.
 *
 * The same requests are made several times in the same state, and the least time
 * of each counts: what another program or a hypervisor took of the CPU goes, what
 * the code does stays.  Of these the longest is told.
 */
#include "../random.h"
#include "bench.h"
#include "../hard.h"

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

/* Of an operation that is repeated, each step's least time; of any other, its longest step */
#define MAX_STEPS	(8U << 20)

static bool recording;
static u32 least[MAX_STEPS], at_step, nr_steps;
static u64 step_began, longest_step;

static void step_begin(void)
{
	step_began = now_ns();
}

static void step_end(void)
{
	u64 ns = now_ns() - step_began;

	longest_step = max(longest_step, ns);
	if (!recording || at_step == MAX_STEPS)
		return;
	if (at_step == nr_steps)
		least[nr_steps++] = ns;
	if (ns < least[at_step])
		least[at_step] = ns;
	at_step++;
}

static double positive(double ns)
{
	return ns > 0 ? ns : 0;
}

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

	longest_step = 0;
	if (c->used + frames > c->target * TIB && c->nr) {
		extent = &c->held[rnd(c->nr)];
		step->kind = FREE;
		step->frames = extent->frames;
		if (hard_free(&c->r, extent->frame, extent->frames, 1))
			exit(2);
		c->used -= extent->frames;
		*extent = c->held[--c->nr];
	} else {
		extent->frames = frames;
		step->frames = frames;
		step->kind = hard_alloc(&c->r, frames, align, 1, &extent->frame) ? REFUSED : ALLOC;
		if (step->kind == ALLOC) {
			c->used += frames;
			c->nr++;
		}
	}
	if (!step->least || longest_step < step->least)
		step->least = longest_step;
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

/*
 * The states that are made to be bad: all steps of the same operation several times, and of
 * each step the least.
 */
static void one_hard(const struct hard *hard, u64 frames, bool write)
{
	char state[96];
	double longest = 0;

	snprintf(state, sizeof(state), "%s, %llu TiB", hard->name,
		 (unsigned long long)(frames / TIB));
	bench_progress("longest operation, %s", state);
	nr_steps = 0;
	for (int repeat = 0; repeat < (bench_quick ? 2 : 5); repeat++) {
		struct region r;

		region_init_table(&r, 0, frames, hard->cpus ?: 2);
		hard_make(hard, &r, write);
		recording = true;
		at_step = 0;
		if (hard->run(&r) != hard->expected) {
			fprintf(stderr, "%s: not as expected\n", state);
			exit(2);
		}
		recording = false;
		region_exit(&r);
	}
	for (u32 i = 0; i < nr_steps; i++)
		longest = max(longest, positive(least[i] - clock_cost()));
	report(state, "a step", longest, 0, nr_steps);
}

void bench_longest(void)
{
	churn("fragmented", .75);
	churn("nearly full", .97);
	for (u32 i = 0; i < ARRAY_SIZE(hard); i++) {
		one_hard(&hard[i], TIB, false);
		if (hard[i].write)
			one_hard(&hard[i], 64 * TIB, true);
		/* Others need minutes, or more memory than there is, see hard.h. */
		else if (hard[i].make != hard_halves && hard[i].make != hard_unclaimed &&
			 hard[i].make != hard_pricked)
			one_hard(&hard[i], 64 * TIB, false);
	}
}
