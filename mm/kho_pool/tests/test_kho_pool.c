// SPDX-License-Identifier: GPL-2.0-only
/*
 * A user of pools for the tests: it fills extents with a pattern that depends
 * on address and generation, keeps a ledger of them in the pool itself, and
 * finds every byte that changed over a kexec.
 *
 *	/sys/kernel/debug/kho_pool_test/cmd	one command per write
 *		owner			begin without a ledger
 *		generation N		begin; claims what was there
 *		node N			allocate from this node only, -1: from any
 *		prefer N		allocate from this node first
 *		alloc SIZE [NAME|- [ALIGN]]
 *		free NAME
 *		free_raw PHYS SIZE	even if there is no such extent
 *		free_some PERCENT
 *		cleared SIZE		is memory that was written to cleared for others?
 *		verify			every byte of every extent
 *		reuse			take all free memory, stamp it, give it back
 *		churn SECONDS		one thread per CPU: alloc, fill, verify, free
 *		free_all
 *		take SIZE		all that there is in extents of this size, not filled
 *		user SIZE NAME		as if made by /dev/kho_pool/control, but not cleared
 *	/sys/kernel/debug/kho_pool_test/result	counts since "generation"
 */
#define pr_fmt(fmt) "test_kho_pool: " fmt

#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/kho_pool.h>
#include <linux/kho_pool_expose.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/prandom.h>
#include <linux/random.h>
#include <linux/sched/signal.h>
#include <linux/seq_file.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define LEDGER_NAME	"test-ledger"
#define LEDGER_SIZE	SZ_2M
#define LEDGER_MAGIC	0x31524547444c504bULL
#define MAX_ENTRIES	((LEDGER_SIZE - 64) / sizeof(struct entry))

/* In pool memory: it is read by the next kernel. */
struct entry {
	u64 phys;
	u64 size;		/* 0: unused */
	u64 generation;		/* of the pattern */
};

struct ledger {
	u64 magic;
	u64 generation;		/* that last wrote it */
	u64 spare[6];
	struct entry entry[];
};

static struct kho_pool_owner *owner;
static struct ledger *ledger;
static u64 generation;
static int node = NUMA_NO_NODE;
static bool this_node;
/* For the ledger; churners hold it briefly, commands all the time. */
static DEFINE_MUTEX(lock);

static struct {
	u64 extents, bytes, bad_bytes, lost, foreign, allocs, frees, failures, reused;
} result;
static atomic64_t bytes_verified, bytes_bad;

static u64 word_at(u64 phys, u64 gen)
{
	return (phys + gen * 0x9e3779b97f4a7c15ULL) * 0xd6e8feb86659fd93ULL;
}

static void fill(u64 phys, u64 size, u64 gen)
{
	u64 *p = kho_pool_virt(phys);

	for (u64 i = 0; i < size; i += 8) {
		*p++ = word_at(phys + i, gen);
		if (!(i & (SZ_2M - 1)))
			cond_resched();
	}
}

/* The next page with a memory error, which must not be read */
static phys_addr_t next_error(phys_addr_t phys)
{
	return kho_pool_next_bad(kho_pool_find(NULL), &phys) ? phys : PHYS_ADDR_MAX;
}

static u64 count_bad(u64 phys, u64 size, u64 gen)
{
	const u64 *p = kho_pool_virt(phys);
	phys_addr_t error = next_error(phys);
	u64 bad = 0;

	for (u64 i = 0; i < size; i += 8) {
		if (unlikely(phys + i == error)) {
			i += PAGE_SIZE - 8;
			p += PAGE_SIZE / 8;
			error = next_error(error + PAGE_SIZE);
			continue;
		}
		if (unlikely(*p++ != word_at(phys + i, gen)))
			bad += 8;
		if (!(i & (SZ_2M - 1)))
			cond_resched();
	}
	return bad;
}

/* Is the page in the direct map? */
static int do_mapped(u64 phys)
{
	u64 word;

	return copy_from_kernel_nofault(&word, kho_pool_virt(phys), sizeof(word));
}

static struct entry *find_entry(u64 phys)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (ledger->entry[i].size && ledger->entry[i].phys == phys)
			return &ledger->entry[i];
	return NULL;
}

static struct entry *new_entry(void)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		if (!ledger->entry[i].size)
			return &ledger->entry[i];
	return NULL;
}

/* Allocate, fill and enter; the lock is held. */
static int do_alloc(u64 size, u64 align, const char *name)
{
	struct kho_pool_request req = {
		.size = size, .align = align, .nid = node,
		.flags = KHO_POOL_NOZERO, .name = name,
	};
	struct entry *e = new_entry();
	phys_addr_t phys;
	int err;

	if (!e)
		return -EMLINK;
	if (this_node)
		req.flags |= KHO_POOL_THISNODE;
	err = kho_pool_alloc(owner, &req, &phys);
	if (err) {
		result.failures++;
		return err;
	}
	if (align && phys & (align - 1))
		return -EFAULT;
	fill(phys, size, generation);
	e->phys = phys;
	e->generation = generation;
	/* An entry with a size is complete. */
	smp_wmb();
	e->size = size;
	result.allocs++;
	return 0;
}

static int do_free(struct entry *e)
{
	u64 phys = e->phys, size = e->size;
	int err = kho_pool_free(owner, phys, size);

	if (err)
		return err;
	e->size = 0;
	result.frees++;
	return 0;
}

/* Extents of the pool that are not in the ledger. */
static int check_foreign(const struct kho_pool_extent *ext, void *data)
{
	struct entry *e;

	if (strcmp(ext->owner, "test") || !strcmp(ext->name, LEDGER_NAME))
		return 0;
	e = find_entry(ext->phys);
	if (!e || e->size != ext->size) {
		pr_err("extent at %pa, %llu bytes, is not in the ledger\n", &ext->phys, ext->size);
		result.foreign++;
	}
	result.extents++;
	return 0;
}

/* One of several threads that share a job. */
struct worker {
	struct task_struct *task;
	struct completion done;
	int (*fn)(struct worker *w);
	u32 first, step;
};

static int verify_thread(struct worker *v)
{
	/* Pieces of 64 MiB in turn, so that one large extent is shared too. */
	for (u32 i = 0, piece = 0; i < MAX_ENTRIES; i++) {
		struct entry *e = &ledger->entry[i];

		for (u64 at = 0; at < e->size; at += SZ_64M, piece++) {
			u64 size = min_t(u64, e->size - at, SZ_64M), bad;

			if (piece % v->step != v->first)
				continue;
			bad = count_bad(e->phys + at, size, e->generation);
			if (bad)
				pr_err("%llu bytes of %#llx are not as generation %llu left them\n",
				       bad, e->phys + at, e->generation);
			atomic64_add(size, &bytes_verified);
			atomic64_add(bad, &bytes_bad);
		}
	}
	return 0;
}

static int work(void *data)
{
	struct worker *w = data;
	int err = w->fn(w);

	complete(&w->done);
	return err;
}

/* Run @fn to its end in one thread per CPU. */
static int in_threads(int (*fn)(struct worker *w))
{
	u32 nr = num_online_cpus(), started;
	struct worker *w __free(kfree) = kcalloc(nr, sizeof(*w), GFP_KERNEL);
	int err = 0;

	if (!w)
		return -ENOMEM;
	for (started = 0; started < nr; started++) {
		w[started].fn = fn;
		w[started].first = started;
		w[started].step = nr;
		init_completion(&w[started].done);
		w[started].task = kthread_run(work, &w[started], "test_kho_pool/%u", started);
		if (IS_ERR(w[started].task)) {
			err = PTR_ERR(w[started].task);
			break;
		}
		get_task_struct(w[started].task);
	}
	for (u32 i = 0; i < started; i++) {
		int ret;

		/* A thread that is stopped before it ran never runs. */
		wait_for_completion(&w[i].done);
		ret = kthread_stop_put(w[i].task);
		err = err ?: ret;
	}
	return err;
}

static int do_verify(void)
{
	u64 held = 0;
	int err;

	result.extents = 0;
	result.foreign = 0;
	result.lost = 0;
	atomic64_set(&bytes_verified, 0);
	atomic64_set(&bytes_bad, 0);
	kho_pool_walk(kho_pool_find(NULL), check_foreign, NULL);
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		result.lost += !!ledger->entry[i].size;
	for (u32 i = 0; i < MAX_ENTRIES; i++)
		held += ledger->entry[i].size;
	/* Entered, but not found by the walk: lost. */
	result.lost -= min(result.lost, result.extents - result.foreign);
	err = in_threads(verify_thread);
	result.bytes = atomic64_read(&bytes_verified);
	result.bad_bytes += atomic64_read(&bytes_bad);
	if (err)
		return err;
	if (result.bytes != held) {
		pr_err("verified %llu of %llu bytes\n", result.bytes, held);
		return -EIO;
	}
	return result.bad_bytes || result.lost || result.foreign ? -EIO : 0;
}

struct taken {
	struct list_head list;
	phys_addr_t phys;
	u64 size;
};

/*
 * Take all free memory, largest extents first, write to each page, check that every
 * extent is unchanged, and free it again: what was freed is free, and what was
 * not is not.
 */
static int do_reuse(void)
{
	struct taken *t, *next;
	LIST_HEAD(list);
	u64 size = SZ_1G;
	int err = 0;

	result.reused = 0;
	while (size >= PAGE_SIZE) {
		struct kho_pool_request req = {
			.size = size, .nid = NUMA_NO_NODE, .flags = KHO_POOL_NOZERO,
		};

		t = kmalloc_obj(*t);
		if (!t) {
			err = -ENOMEM;
			break;
		}
		err = kho_pool_alloc(owner, &req, &t->phys);
		if (err == -ENOMEM) {
			kfree(t);
			size = size == SZ_1G ? SZ_2M : size == SZ_2M ? PAGE_SIZE : 0;
			err = 0;
			continue;
		}
		if (err) {
			kfree(t);
			break;
		}
		t->size = size;
		list_add(&t->list, &list);
		for (u64 at = 0; at < size; at += PAGE_SIZE) {
			u64 *page = kho_pool_virt(t->phys + at);

			page[0] = ~0ULL;
			page[PAGE_SIZE / 8 - 1] = ~0ULL;
		}
		result.reused += size;
		cond_resched();
	}
	for (u32 i = 0; !err && i < MAX_ENTRIES; i++) {
		struct entry *e = &ledger->entry[i];

		/* The edges are where an overlap would show. */
		if (!e->size)
			continue;
		if (count_bad(e->phys, min_t(u64, e->size, SZ_2M), e->generation) ||
		    count_bad(e->phys + e->size - PAGE_SIZE, PAGE_SIZE, e->generation))
			err = -EIO;
	}
	list_for_each_entry_safe(t, next, &list, list) {
		int ret = kho_pool_free(owner, t->phys, t->size);

		err = err ?: ret;
		kfree(t);
	}
	return err;
}

/* For tests of scale: the extents are not in the ledger. */
static int do_take(u64 size)
{
	struct kho_pool_request req = {
		.size = size, .align = size, .nid = NUMA_NO_NODE, .flags = KHO_POOL_NOZERO,
	};
	phys_addr_t phys;
	int err;

	do {
		err = kho_pool_alloc(owner, &req, &phys);
		result.extents += !err;
	} while (!err);
	return err == -ENOMEM ? 0 : err;
}

/* Write to an extent, free it, and allocate it again. */
static int do_cleared(u64 size)
{
	struct kho_pool_request req = { .size = size, .nid = NUMA_NO_NODE };
	phys_addr_t first, again;
	int err;

	err = kho_pool_alloc(owner, &req, &first);
	if (err)
		return err;
	memset(kho_pool_virt(first), 0x5a, size);
	err = kho_pool_free(owner, first, size);
	if (!err)
		err = kho_pool_alloc(owner, &req, &again);
	if (err)
		return err;
	/* Otherwise it proves nothing. */
	if (again != first)
		err = -EAGAIN;
	else if (memchr_inv(kho_pool_virt(again), 0, size))
		err = -EIO;
	return err ?: kho_pool_free(owner, again, size);
}

static unsigned long churn_until;

/*
 * Allocate and free at random, half of it in atomic context, as drivers do.  Large
 * extents are filled and verified with no lock held.
 */
static int churn_thread(struct worker *w)
{
	enum { MAX = 256 };
	struct entry *mine = kcalloc(MAX, sizeof(*mine), GFP_KERNEL);
	struct rnd_state rnd;
	int err = 0;

	if (!mine)
		return -ENOMEM;
	prandom_seed_state(&rnd, get_random_u64());
	while (!err && time_before(jiffies, churn_until)) {
		struct entry *e = &mine[prandom_u32_state(&rnd) % MAX];
		u32 kind = prandom_u32_state(&rnd) % 64;
		bool atomic = prandom_u32_state(&rnd) & 1;
		phys_addr_t phys;

		cond_resched();
		if (e->size) {
			u64 bad = count_bad(e->phys, e->size, e->generation);

			atomic64_add(e->size, &bytes_verified);
			atomic64_add(bad, &bytes_bad);
			if (atomic)
				preempt_disable();
			err = kho_pool_free(owner, e->phys, e->size);
			if (atomic)
				preempt_enable();
			if (bad)
				err = -EIO;
			e->size = 0;
		} else {
			struct kho_pool_request req = {
				.size = PAGE_SIZE * (1 + prandom_u32_state(&rnd) % 4),
				.nid = NUMA_NO_NODE,
				.flags = atomic ? KHO_POOL_ATOMIC : KHO_POOL_NOZERO,
			};

			if (kind < 16)
				req.flags |= KHO_POOL_NOZERO;
			if (kind < 2)
				req.size = SZ_2M * (1 + prandom_u32_state(&rnd) % 8);
			else if (kind < 8)
				req.size = PAGE_SIZE * (1 + prandom_u32_state(&rnd) % 600);
			if (atomic)
				preempt_disable();
			err = kho_pool_alloc(owner, &req, &phys);
			if (atomic)
				preempt_enable();
			if (err == -ENOMEM) {
				err = 0;
				continue;
			}
			if (err)
				break;
			e->phys = phys;
			e->size = req.size;
			e->generation = generation ^ phys;
			fill(e->phys, e->size, e->generation);
		}
	}
	/* Half of what is left goes into the ledger and survives the next kexec. */
	for (u32 i = 0; i < MAX; i++) {
		struct entry *e = &mine[i], *to = NULL;

		if (!e->size)
			continue;
		mutex_lock(&lock);
		if (i & 1)
			to = new_entry();
		if (to)
			*to = *e;
		else
			err = err ?: kho_pool_free(owner, e->phys, e->size);
		mutex_unlock(&lock);
	}
	kfree(mine);
	return err;
}

static int claimed(const struct kho_pool_extent *ext, void *data)
{
	u64 *nr = data;

	++*nr;
	return 0;
}

static int get_owner(void)
{
	struct kho_pool *pool = kho_pool_find(NULL);

	if (!pool)
		return -ENODEV;
	if (IS_ERR_OR_NULL(owner))
		owner = kho_pool_register_owner(pool, "test");
	return PTR_ERR_OR_ZERO(owner);
}

/* So a large one takes no memory of who emulates the machine. */
static int do_user(u64 size, const char *name)
{
	struct kho_pool_request req = {
		.size = size, .align = SZ_1G, .nid = node, .flags = KHO_POOL_NOZERO, .name = name,
	};
	struct kho_pool_owner *user;
	phys_addr_t phys;

	user = kho_pool_user_owner(kho_pool_find(NULL));
	return IS_ERR(user) ? PTR_ERR(user) : kho_pool_alloc(user, &req, &phys);
}

static int do_begin(u64 gen)
{
	struct kho_pool *pool = kho_pool_find(NULL);
	struct kho_pool_request req = {
		.size = LEDGER_SIZE, .nid = NUMA_NO_NODE, .name = LEDGER_NAME,
	};
	struct kho_pool_extent ext;
	phys_addr_t phys;
	u64 nr = 0;
	int err;

	err = get_owner();
	if (err)
		return err;
	memset(&result, 0, sizeof(result));
	generation = gen;
	err = kho_pool_claim_all(owner, claimed, &nr);
	if (err)
		return err;
	err = kho_pool_lookup(pool, LEDGER_NAME, &ext);
	if (err && gen) {
		pr_err("generation %llu has no ledger\n", gen);
		return err;
	}
	if (!err) {
		ledger = kho_pool_virt(ext.phys);
		if (ledger->magic != LEDGER_MAGIC ||
		    (ledger->generation != gen && ledger->generation + 1 != gen)) {
			pr_err("the ledger is of generation %llu\n", ledger->generation);
			return -EIO;
		}
	} else {
		err = kho_pool_alloc(owner, &req, &phys);
		if (err)
			return err;
		ledger = kho_pool_virt(phys);
		ledger->magic = LEDGER_MAGIC;
	}
	ledger->generation = gen;
	return 0;
}

static int do_free_some(u32 percent)
{
	for (u32 i = 0; i < MAX_ENTRIES; i++) {
		int err;

		if (!ledger->entry[i].size || get_random_u32_below(100) >= percent)
			continue;
		err = do_free(&ledger->entry[i]);
		if (err)
			return err;
	}
	return 0;
}

static int do_free_name(const char *name)
{
	struct kho_pool_extent ext;
	struct entry *e;
	int err = kho_pool_lookup(kho_pool_find(NULL), name, &ext);

	if (err)
		return err;
	e = find_entry(ext.phys);
	return e ? do_free(e) : -ESTALE;
}

static int do_churn(u64 seconds)
{
	atomic64_set(&bytes_verified, 0);
	atomic64_set(&bytes_bad, 0);
	churn_until = jiffies + seconds * HZ;
	return in_threads(churn_thread);
}

/* What is not a number makes no sense as one. */
static u64 number(const char *text)
{
	u64 n = ~0ULL;

	return kstrtou64(text, 0, &n) ? ~0ULL : n;
}

static int command(char *line)
{
	char *word = strsep(&line, " ");
	char *arg1 = strsep(&line, " "), *arg2 = strsep(&line, " ");
	int err;

	if (!strcmp(word, "generation") && arg1)
		return do_begin(number(arg1));
	if ((!strcmp(word, "node") || !strcmp(word, "prefer")) && arg1) {
		err = kstrtoint(arg1, 0, &node);
		this_node = node != NUMA_NO_NODE && !strcmp(word, "node");
		return err;
	}
	if (!strcmp(word, "owner"))
		return get_owner();
	if (!strcmp(word, "mapped") && arg1)
		return do_mapped(number(arg1));
	if (owner && !strcmp(word, "take") && arg1)
		return do_take(memparse(arg1, NULL));
	if (owner && !strcmp(word, "user") && arg2)
		return do_user(memparse(arg1, NULL), arg2);
	if (!ledger)
		return -EPERM;
	if (!strcmp(word, "alloc") && arg1)
		return do_alloc(memparse(arg1, NULL), line ? memparse(line, NULL) : 0,
				arg2 && strcmp(arg2, "-") ? arg2 : NULL);
	if (!strcmp(word, "free") && arg1)
		return do_free_name(arg1);
	if (!strcmp(word, "free_raw") && arg2)
		return kho_pool_free(owner, number(arg1),
				     number(arg2));
	if (!strcmp(word, "cleared") && arg1)
		return do_cleared(memparse(arg1, NULL));
	if (!strcmp(word, "free_some") && arg1)
		return do_free_some(number(arg1));
	if (!strcmp(word, "free_all"))
		return do_free_some(100);
	if (!strcmp(word, "verify"))
		return do_verify();
	if (!strcmp(word, "reuse"))
		return do_reuse();
	if (!strcmp(word, "churn") && arg1) {
		/* The threads enter what they keep into the ledger. */
		mutex_unlock(&lock);
		err = do_churn(number(arg1));
		mutex_lock(&lock);
		return err;
	}
	return -EINVAL;
}

static ssize_t cmd_write(struct file *file, const char __user *ubuf, size_t count, loff_t *pos)
{
	char *buf __free(kfree) = memdup_user_nul(ubuf, count);
	int err;

	if (IS_ERR(buf))
		return PTR_ERR(no_free_ptr(buf));
	mutex_lock(&lock);
	err = command(strim(buf));
	mutex_unlock(&lock);
	return err ?: count;
}

static const struct file_operations cmd_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = cmd_write,
};

static int result_show(struct seq_file *m, void *v)
{
	seq_printf(m, "extents %llu\nbytes %llu\nbad_bytes %llu\nlost %llu\nforeign %llu\n",
		   result.extents, result.bytes, result.bad_bytes, result.lost, result.foreign);
	seq_printf(m, "allocs %llu\nfrees %llu\nfailures %llu\nreused %llu\nchurned %lld\n",
		   result.allocs, result.frees, result.failures, result.reused,
		   atomic64_read(&bytes_verified));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(result);

static struct dentry *dir;

static int __init test_init(void)
{
	dir = debugfs_create_dir("kho_pool_test", NULL);
	debugfs_create_file("cmd", 0200, dir, NULL, &cmd_fops);
	debugfs_create_file("result", 0400, dir, NULL, &result_fops);
	return 0;
}
module_init(test_init);

static void __exit test_exit(void)
{
	debugfs_remove(dir);
	if (!IS_ERR_OR_NULL(owner))
		kho_pool_unregister_owner(owner);
}
module_exit(test_exit);

MODULE_DESCRIPTION("Test driver for memory pools that survive kexec");
MODULE_LICENSE("GPL");
