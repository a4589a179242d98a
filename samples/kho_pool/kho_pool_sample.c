// SPDX-License-Identifier: GPL-2.0-only
/*
 * A driver that keeps its state over kexec.
 *
 * It has one named extent, its "book", which says where its other memory is,
 * and any number of unnamed buffers.  When it is loaded, it claims what it had
 * in the previous kernel, or starts empty.  When it is removed, it frees all of
 * it, unless it is told to leave it for the next kernel:
 *
 *	insmod kho_pool_sample.ko keep=1; rmmod kho_pool_sample; kexec -e
 *
 * Nothing has to be done at shutdown.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/kho_pool.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/string.h>

static char *pool_name;
module_param_named(pool, pool_name, charp, 0444);
MODULE_PARM_DESC(pool, "pool to use (the first one)");

static bool keep;
module_param(keep, bool, 0644);
MODULE_PARM_DESC(keep, "leave the memory to the next kernel when unloaded");

static char *stale;
module_param(stale, charp, 0444);
MODULE_PARM_DESC(stale, "extent of a driver that is gone, to be given up");

#define BOOK_NAME	"sample-book"
#define BOOK_MAGIC	0x4b4f4f42	/* "BOOK" */
#define NR_BUFFERS	4

/*
 * Another kernel reads what is in pool memory: use fixed widths, a version and
 * physical addresses, no pointers.
 */
struct book {
	__le32 magic;
	__le32 version;
	__le64 loads;		/* how often the driver was loaded */
	struct {
		__le64 phys;
		__le64 size;
	} buffer[NR_BUFFERS];
};

static struct kho_pool_owner *owner;
static struct book *book;
static phys_addr_t book_phys;

/* Buffers have 2 MiB, so that one page table entry can map each. */
static int get_buffers(void)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		struct kho_pool_request req = {
			.size = SZ_2M,
			.align = SZ_2M,
			.nid = NUMA_NO_NODE,
		};
		phys_addr_t phys;
		int err;

		if (book->buffer[i].size)
			continue;
		err = kho_pool_alloc(owner, &req, &phys);
		if (err)
			return err;
		book->buffer[i].phys = cpu_to_le64(phys);
		/* If we stop before this, claim_all() finds the buffer. */
		smp_store_release(&book->buffer[i].size, cpu_to_le64(req.size));
	}
	return 0;
}

/* After the seal nothing can be freed; then the next kernel has it. */
static void free_extent(phys_addr_t phys, u64 size)
{
	int err = kho_pool_free(owner, phys, size);

	if (err)
		pr_err("%pa is not freed: %d\n", &phys, err);
}

static void put_all(void)
{
	for (int i = 0; i < NR_BUFFERS; i++) {
		u64 size = le64_to_cpu(book->buffer[i].size);

		if (!size)
			continue;
		WRITE_ONCE(book->buffer[i].size, 0);
		/* Freed buffers are no longer in the book; claim_all() finds the rest. */
		smp_wmb();
		free_extent(le64_to_cpu(book->buffer[i].phys), size);
	}
	free_extent(book_phys, PAGE_SIZE);
}

static void begin_book(void)
{
	book->version = cpu_to_le32(1);
	/* If we stop before this, the next kernel starts the book again. */
	smp_store_release(&book->magic, cpu_to_le32(BOOK_MAGIC));
	pr_info("begins with an empty book\n");
}

static int begin_anew(void)
{
	struct kho_pool_request req = {
		.size = PAGE_SIZE,
		.nid = NUMA_NO_NODE,
		.name = BOOK_NAME,
	};
	int err = kho_pool_alloc(owner, &req, &book_phys);

	if (err)
		return err;
	book = kho_pool_virt(book_phys);
	begin_book();
	return 0;
}

/* Is this extent in the book?  If not, we stopped before it was noted. */
static int check_extent(const struct kho_pool_extent *ext, void *data)
{
	if (ext->phys == book_phys)
		return 0;
	for (int i = 0; i < NR_BUFFERS; i++)
		if (le64_to_cpu(book->buffer[i].phys) == ext->phys && book->buffer[i].size)
			return 0;
	return kho_pool_free(owner, ext->phys, ext->size);
}

static int take_over(struct kho_pool *pool, const struct kho_pool_extent *ext)
{
	book_phys = ext->phys;
	book = kho_pool_virt(book_phys);
	/* Reading it could stop the machine. */
	if (kho_pool_has_bad(pool, ext))
		return -EIO;
	if (!book->magic)
		begin_book();
	if (book->magic != cpu_to_le32(BOOK_MAGIC) || book->version != cpu_to_le32(1)) {
		pr_err("the book at %pa is not one of mine\n", &book_phys);
		return -EINVAL;
	}
	pr_info("found its book at %pa after %llu loads\n", &book_phys,
		le64_to_cpu(book->loads));
	return kho_pool_claim_all(owner, check_extent, NULL);
}

static int __init sample_init(void)
{
	struct kho_pool *pool = kho_pool_find(pool_name);
	struct kho_pool_extent ext;
	bool anew;
	int err;

	if (!pool)
		return -ENODEV;
	owner = kho_pool_register_owner(pool, "sample");
	if (IS_ERR(owner))
		return PTR_ERR(owner);

	err = kho_pool_claim(owner, BOOK_NAME, &ext);
	anew = err == -ENOENT;
	if (anew)
		err = begin_anew();
	else if (!err || err == -EALREADY)
		err = take_over(pool, &ext);
	if (err)
		goto no_book;
	err = get_buffers();
	if (err) {
		/* Do not free what an earlier load has left. */
		if (anew)
			put_all();
		goto no_book;
	}
	le64_add_cpu(&book->loads, 1);
	if (stale)
		pr_info("gave up %s: %d\n", stale, kho_pool_release(pool, stale));
	pr_info("%d buffers in pool %s\n", NR_BUFFERS, kho_pool_name(pool));
	return 0;

no_book:
	kho_pool_unregister_owner(owner);
	return err;
}
module_init(sample_init);

static void __exit sample_exit(void)
{
	if (!keep)
		put_all();
	kho_pool_unregister_owner(owner);
}
module_exit(sample_exit);

MODULE_DESCRIPTION("Sample driver that keeps its state over kexec");
MODULE_LICENSE("GPL");
