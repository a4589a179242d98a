// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extents as device-dax devices: huge faults, pins, and no memory that goes away
 * under its user.  Needs kho_pool= with at least 1 GiB; gup_test for long-term pins.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "control.h"
#include "files.h"
#include "gup_test.h"
#include "harness.h"

#define MIB	(1ULL << 20)

static unsigned long long vm_counter(const char *name)
{
	unsigned long long value = 0, found;
	FILE *f = fopen("/proc/vmstat", "r");
	char word[64];

	while (f && fscanf(f, "%63s %llu", word, &found) == 2)
		if (!strcmp(word, name))
			value = found;
	if (f)
		fclose(f);
	return value;
}

static long faults(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_minflt + usage.ru_majflt;
}

/* The size of pages that the middle of a page table maps */
static __u64 pmd_size(void)
{
	__u64 page = sysconf(_SC_PAGESIZE);

	return page / 8 * page;
}

/* Is the innermost resource at that address the one of that name? */
static int iomem_has(__u64 phys, const char *name)
{
	FILE *f = fopen("/proc/iomem", "r");
	unsigned long long start, end;
	char line[256];
	int found = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %llx-%llx", &start, &end) == 2 && start <= phys && phys <= end)
			found = !!strstr(line, name);
	if (f)
		fclose(f);
	return found;
}

FIXTURE(dax)
{
	unsigned long long free_bytes, extents, memmap;
	char path[64];
	__u64 size;
	char *map;
	int fd;
};

FIXTURE_VARIANT(dax)
{
	int level;
};

FIXTURE_VARIANT_ADD(dax, pages) { .level = 0 };
FIXTURE_VARIANT_ADD(dax, huge_pages) { .level = 1 };
FIXTURE_VARIANT_ADD(dax, gigantic_pages) { .level = 2 };

static __u64 align_of_level(int level)
{
	__u64 page = sysconf(_SC_PAGESIZE);

	return level == 0 ? page : level == 1 ? pmd_size() : page / 8 * pmd_size();
}

FIXTURE_SETUP(dax)
{
	__u64 align = align_of_level(variant->level);
	int err;

	control = open(CONTROL, O_RDWR);
	ASSERT_LE(0, control);
	self->free_bytes = number_in(POOL "free_bytes");
	self->extents = number_in(POOL "extents");
	self->memmap = vm_counter("nr_memmap_pages");
	self->size = variant->level == 2 ? align : 64 * MIB;
	if (pmd_size() > self->size)
		self->size = pmd_size();
	self->fd = -1;
	self->map = MAP_FAILED;
	err = create("guest", self->size, align < pmd_size() ? pmd_size() : align);
	if (err == -ENOMEM)
		SKIP(return, "the pool has no room for %llu MiB of such pages", self->size >> 20);
	ASSERT_EQ(0, err);
	err = expose("guest", align, self->path);
	if (err == -EOPNOTSUPP) {
		release("guest");
		SKIP(return, "the kernel does not map pages of %llu KiB", align >> 10);
	}
	ASSERT_EQ(0, err);
	self->fd = open(self->path, O_RDWR);
	ASSERT_LE(0, self->fd) TH_LOG("%s: %m", self->path);
	self->map = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, self->map);
	ASSERT_EQ(0, (uintptr_t)self->map % align);
}

/* Once a test has released it, it can be hidden, and nothing is left of it. */
FIXTURE_TEARDOWN(dax)
{
	struct kho_pool_extent_info info;

	if (self->map != MAP_FAILED)
		munmap(self->map, self->size);
	if (self->fd >= 0)
		close(self->fd);
	if (!query("guest", &info)) {
		if (info.flags & KHO_POOL_EXTENT_EXPOSED)
			EXPECT_EQ(0, hide("guest"));
		EXPECT_EQ(0, release("guest"));
	}
	EXPECT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	EXPECT_EQ(self->extents, number_in(POOL "extents"));
	EXPECT_EQ(self->memmap, vm_counter("nr_memmap_pages"));
	close(control);
}

TEST_F(dax, one_fault_a_page)
{
	__u64 align = align_of_level(variant->level);
	__u64 step = sysconf(_SC_PAGESIZE);
	long before = faults(), n;
	__u64 sum = 0;

	for (__u64 at = 0; at < self->size; at += step)
		sum += *(volatile __u64 *)(self->map + at);
	n = faults() - before;
	EXPECT_EQ(0, sum);
	/* One or two may be the program's own. */
	EXPECT_LE(self->size / align, n);
	EXPECT_GE(self->size / align + 4, n);
	TH_LOG("%llu MiB in pages of %llu KiB: %ld faults", self->size >> 20, align >> 10, n);
}

/* Of a huge page on x86 all tail pages are the same one; arm64 has each of them. */
TEST_F(dax, struct_pages)
{
	__u64 page = sysconf(_SC_PAGESIZE), align = align_of_level(variant->level);
	__u64 bytes = (vm_counter("nr_memmap_pages") - self->memmap) * page;
	__u64 expected = self->size / page * 64;

#ifdef __x86_64__
	if (variant->level)
		expected = self->size / align * 2 * page;
#endif
	TH_LOG("%llu bytes of struct pages for %llu MiB in pages of %llu KiB", bytes,
	       self->size >> 20, align >> 10);
	EXPECT_EQ(expected, bytes);
}

TEST_F(dax, description)
{
	__u64 align = align_of_level(variant->level);
	struct kho_pool_extent_info info;
	char path[64], again[64];

	ASSERT_EQ(0, query("guest", &info));
	EXPECT_EQ(KHO_POOL_EXTENT_USER | KHO_POOL_EXTENT_EXPOSED, info.flags);
	EXPECT_EQ(align, info.align);
	EXPECT_EQ(self->size, info.bytes);
	sprintf(path, "/dev/dax%u.%u", info.dax_region, info.dax_id);
	EXPECT_STREQ(self->path, path);
	EXPECT_EQ(-EALREADY, expose("guest", align, again));
	EXPECT_STREQ(self->path, again);
	EXPECT_TRUE(iomem_has(info.phys, self->path + 5));
}

TEST_F(dax, what_is_written_stays)
{
	char *again;

	for (__u64 at = 0; at < self->size; at += MIB)
		*(__u64 *)(self->map + at) = at ^ 0x5aa5;
	ASSERT_EQ(0, munmap(self->map, self->size));
	self->map = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, hide("guest"));
	EXPECT_NE(0, access(self->path, F_OK));
	ASSERT_EQ(0, expose("guest", align_of_level(variant->level), self->path));
	self->fd = open(self->path, O_RDWR);
	ASSERT_LE(0, self->fd);
	again = mmap(NULL, self->size, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, again);
	self->map = again;
	for (__u64 at = 0; at < self->size; at += MIB)
		ASSERT_EQ(at ^ 0x5aa5, *(__u64 *)(again + at));
}

TEST_F(dax, neither_hidden_nor_released_while_mapped)
{
	char *map = self->map;

	*(volatile char *)map = 1;
	EXPECT_EQ(-EBUSY, release("guest"));
	EXPECT_EQ(-EBUSY, hide("guest"));
	/* The mapping alone, without the file */
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EBUSY, hide("guest"));
	EXPECT_EQ(1, *(volatile char *)map);
}

/* What a process dies of that writes there */
static int signal_of_write(char *at)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		*(volatile char *)at = 1;
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid)
		return -1;
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

/* A mapping counts even if no page of it was touched; and its user can continue. */
TEST_F(dax, not_hidden_from_a_mapping_without_pages)
{
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EBUSY, hide("guest"));
	EXPECT_EQ(-EBUSY, release("guest"));
	EXPECT_EQ(0, signal_of_write(self->map));
}

/* A file alone does not keep it, and is good for nothing then. */
TEST_F(dax, hidden_from_an_open_file)
{
	ASSERT_EQ(0, munmap(self->map, self->size));
	self->map = MAP_FAILED;
	ASSERT_EQ(0, hide("guest"));
	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->size, PROT_READ, MAP_SHARED, self->fd, 0));
	EXPECT_EQ(ENXIO, errno);
}

TEST_F(dax, long_term_pins)
{
	size_t size = 64 * MIB;
	__u64 *copy, to;
	int gup;

	if (access(GUP_TEST, F_OK))
		SKIP(return, "there is no " GUP_TEST);
	for (__u64 at = 0; at < size; at += MIB)
		*(__u64 *)(self->map + at) = at;
	gup = pin_pages(self->map, size);
	ASSERT_LE(0, gup) TH_LOG("%m");
	/* The pin outlives the mapping and the file. */
	ASSERT_EQ(0, munmap(self->map, self->size));
	self->map = MAP_FAILED;
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EBUSY, hide("guest"));
	EXPECT_EQ(-EBUSY, release("guest"));
	copy = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, copy);
	to = (uintptr_t)copy;
	ASSERT_EQ(0, ioctl(gup, PIN_LONGTERM_TEST_READ, &to)) TH_LOG("%m");
	for (__u64 at = 0; at < size; at += MIB)
		ASSERT_EQ(at, copy[at / sizeof(*copy)]);
	munmap(copy, size);
	ASSERT_EQ(0, ioctl(gup, PIN_LONGTERM_TEST_STOP));
	close(gup);
	EXPECT_EQ(0, hide("guest"));
	EXPECT_EQ(0, release("guest"));
}

/* A disk reads into it, as it would for a guest. */
TEST_F(dax, direct_io)
{
	int disk = open("/dev/vda", O_RDONLY | O_DIRECT);
	size_t size = MIB;
	char *copy;

	if (disk < 0)
		SKIP(return, "there is no /dev/vda");
	ASSERT_EQ(size, pread(disk, self->map, size, 0)) TH_LOG("%m");
	close(disk);
	disk = open("/dev/vda", O_RDONLY);
	copy = malloc(size);
	ASSERT_EQ(size, pread(disk, copy, size, 0));
	EXPECT_EQ(0, memcmp(copy, self->map, size));
	free(copy);
	close(disk);
}

TEST_F(dax, only_shared)
{
	__u64 align = align_of_level(variant->level);
	char *map;

	EXPECT_EQ(MAP_FAILED, mmap(NULL, self->size, PROT_READ, MAP_PRIVATE, self->fd, 0));
	/* Beyond its end there is nothing. */
	map = mmap(NULL, self->size + align, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	ASSERT_NE(MAP_FAILED, map);
	EXPECT_EQ(SIGBUS, signal_of_write(map + self->size));
	EXPECT_EQ(0, signal_of_write(map + self->size - 1));
	munmap(map, self->size + align);
}

/* What is in the word at the beginning of a page, which tells where the page is */
static __u64 word_at(__u64 offset)
{
	return offset ^ 0x5aa55aa55aa55aa5ULL;
}

/*
 * How many faults it takes to read a part of it, or -1 if anything there is not what was
 * written through the whole mapping, or the other way round.
 */
static long faults_of_part(char *whole, char *part, __u64 offset, __u64 size)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	long before = faults(), n;
	__u64 at, wrong = 0;

	for (at = 0; at < size; at += page)
		wrong += *(volatile __u64 *)(part + at) != word_at(offset + at);
	n = faults() - before;
	for (at = 0; at < size; at += page)
		*(volatile __u64 *)(part + at + 8) = offset + at + 1;
	for (at = 0; at < size; at += page)
		wrong += *(volatile __u64 *)(whole + offset + at + 8) != offset + at + 1;
	return wrong ? -1 : n;
}

/* So many faults, or a few of the program's own more */
static int about(long faults, __u64 expected)
{
	return faults >= (long)expected && faults <= (long)expected + 8;
}

/* Backends of vhost-user map what a monitor tells them. */
TEST_F(dax, any_part)
{
	__u64 page = sysconf(_SC_PAGESIZE), align = align_of_level(variant->level);
	/* Of a gigantic page only a part, or this takes long */
	__u64 some = variant->level == 1 ? align : 2 * MIB;
	__u64 most = variant->level == 2 ? 64 * MIB : self->size;
	__u64 singles = variant->level == 2 ? most / page - 1 :
					      most / align - 1 + (align - page) / page;
	const struct {
		__u64 offset, size, faults;
	} parts[] = {
		{ 0, page, 1 },
		{ 0, 160 * page, 160 },
		{ self->size - page, page, 1 },
		{ page, some - 2 * page, some / page - 2 },
		/* A tail of pages after whole huge ones, and a head before them */
		{ 0, most - page, singles },
		{ page, most - page, singles },
	};
	unsigned long long mapped;

	for (__u64 at = 0; at < self->size; at += page)
		*(volatile __u64 *)(self->map + at) = word_at(at);
	mapped = vm_counter("nr_mapped");
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		char *part = mmap(NULL, parts[i].size, PROT_READ | PROT_WRITE, MAP_SHARED,
				  self->fd, parts[i].offset);
		long n;

		ASSERT_NE(MAP_FAILED, part) TH_LOG("%zu: %m", i);
		n = faults_of_part(self->map, part, parts[i].offset, parts[i].size);
		EXPECT_TRUE(about(n, parts[i].faults))
			TH_LOG("%zu: %ld faults, not %llu", i, n, parts[i].faults);
		EXPECT_EQ(-EBUSY, hide("guest"));
		ASSERT_EQ(0, munmap(part, parts[i].size));
	}
	/* Rounded to batches of each CPU */
	EXPECT_LT(vm_counter("nr_mapped"), mapped + 500);
	EXPECT_GT(vm_counter("nr_mapped") + 500, mapped);
}

/* Where the CPU cannot have huge pages, it has others. */
TEST_F(dax, at_any_address)
{
	__u64 page = sysconf(_SC_PAGESIZE), size = 64 * page;
	char *room, *part;

	for (__u64 at = 0; at < size; at += page)
		*(volatile __u64 *)(self->map + at) = word_at(at);
	room = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, room);
	/* Of two neighbouring pages, one is at an odd address. */
	for (int i = 0; i < 2; i++) {
		part = mmap(room + i * page, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
			    self->fd, 0);
		ASSERT_NE(MAP_FAILED, part);
		EXPECT_TRUE(about(faults_of_part(self->map, part, 0, size), 64));
	}
	munmap(room, 2 * size);
}

/* Part of a huge page can go, or become read-only. */
TEST_F(dax, split)
{
	__u64 page = sysconf(_SC_PAGESIZE), align = align_of_level(variant->level);
	__u64 size = align < 16 * page ? 16 * page : align;

	for (__u64 at = 0; at < size; at += page)
		*(volatile __u64 *)(self->map + at) = word_at(at);
	ASSERT_EQ(0, munmap(self->map + 3 * page, page));
	EXPECT_EQ(SIGSEGV, signal_of_write(self->map + 3 * page));
	ASSERT_EQ(0, mprotect(self->map + 5 * page, page, PROT_READ));
	EXPECT_EQ(SIGSEGV, signal_of_write(self->map + 5 * page));
	for (__u64 at = 0; at < size; at += page)
		if (at != 3 * page)
			ASSERT_EQ(word_at(at), *(volatile __u64 *)(self->map + at));
	EXPECT_EQ(-EBUSY, hide("guest"));
	ASSERT_EQ(0, madvise(self->map + 7 * page, page, MADV_DONTNEED));
	EXPECT_EQ(word_at(7 * page), *(volatile __u64 *)(self->map + 7 * page));
}

/* A mapping moves to where the same huge pages are possible, and to where they are not. */
TEST_F(dax, moved)
{
	__u64 page = sysconf(_SC_PAGESIZE), align = align_of_level(variant->level);

	for (int i = 0; i < 64; i++)
		*(volatile __u64 *)(self->map + i * page) = word_at(i * page);
	for (int odd = 0; odd < 2; odd++) {
		char *to = mmap(NULL, self->size + align + page, PROT_NONE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		long before;

		ASSERT_NE(MAP_FAILED, to);
		to += align - ((uintptr_t)to & (align - 1)) + odd * page;
		to = mremap(self->map, self->size, self->size, MREMAP_MAYMOVE | MREMAP_FIXED, to);
		ASSERT_NE(MAP_FAILED, to) TH_LOG("%m");
		self->map = to;
		before = faults();
		for (int i = 0; i < 64; i++)
			EXPECT_EQ(word_at(i * page), *(volatile __u64 *)(to + i * page));
		/* What is mapped moves with it; huge pages are split. */
		EXPECT_TRUE(about(faults() - before, odd && variant->level ? 64 : 0));
		EXPECT_EQ(-EBUSY, hide("guest"));
	}
}

/* Pins of part of a huge page count as well. */
TEST_F(dax, pins_of_a_part)
{
	__u64 page = sysconf(_SC_PAGESIZE);
	char *part;
	int gup;

	if (access(GUP_TEST, F_OK))
		SKIP(return, "there is no " GUP_TEST);
	ASSERT_EQ(0, munmap(self->map, self->size));
	self->map = MAP_FAILED;
	part = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 5 * page);
	ASSERT_NE(MAP_FAILED, part);
	gup = pin_pages(part + page, page);
	ASSERT_LE(0, gup) TH_LOG("%m");
	munmap(part, 3 * page);
	close(self->fd);
	self->fd = -1;
	EXPECT_EQ(-EBUSY, hide("guest"));
	close(gup);
	EXPECT_EQ(0, hide("guest"));
}

FIXTURE(expose)
{
	unsigned long long free_bytes;
	__u64 pmd;
};

FIXTURE_SETUP(expose)
{
	control = open(CONTROL, O_RDWR);
	ASSERT_LE(0, control);
	self->free_bytes = number_in(POOL "free_bytes");
	self->pmd = pmd_size();
}

FIXTURE_TEARDOWN(expose)
{
	EXPECT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	close(control);
}

TEST_F(expose, bad_alignments)
{
	long page = sysconf(_SC_PAGESIZE);
	const __u64 bad[] = { 1, 3, page / 2, 3 * page, self->pmd / 2, self->pmd * 2,
			      align_of_level(2), 1ULL << 62, ~0ULL };

	ASSERT_EQ(0, create("x", self->pmd, 0));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		int err = expose("x", bad[i], NULL);

		EXPECT_TRUE(err == -EINVAL || err == -EOPNOTSUPP)
			TH_LOG("align %llu: %d", bad[i], err);
	}
	EXPECT_EQ(-ENXIO, hide("x"));
	EXPECT_EQ(0, release("x"));
}

/* Too small, or not where struct pages could be made for it alone. */
TEST_F(expose, what_does_not_fit)
{
	ASSERT_EQ(0, create("x", sysconf(_SC_PAGESIZE), 0));
	EXPECT_EQ(-EINVAL, expose("x", 0, NULL));
	EXPECT_EQ(0, release("x"));
	ASSERT_EQ(0, create("x", self->pmd + sysconf(_SC_PAGESIZE), self->pmd));
	EXPECT_EQ(-EINVAL, expose("x", 0, NULL));
	EXPECT_EQ(0, release("x"));
}

TEST_F(expose, what_is_not_there)
{
	EXPECT_EQ(-ENOENT, expose("nothing", 0, NULL));
	EXPECT_EQ(-ENOENT, hide("nothing"));
	EXPECT_EQ(-ENOENT, release("nothing"));
}

/* Without a wish: the largest pages there are for it */
TEST_F(expose, alignment_by_itself)
{
	struct kho_pool_extent_info info;

	ASSERT_EQ(0, create("x", 3 * self->pmd, 0));
	ASSERT_EQ(0, expose("x", 0, NULL));
	ASSERT_EQ(0, query("x", &info));
	EXPECT_EQ(self->pmd, info.align);
	EXPECT_EQ(0, hide("x"));
	EXPECT_EQ(0, release("x"));
}

/* Neighbours share a memory section, and each has its struct pages. */
TEST_F(expose, many_side_by_side)
{
	char name[] = "n00", path[64];
	int n = 24;

	for (int i = 0; i < n; i++) {
		sprintf(name, "n%02d", i);
		ASSERT_EQ(0, create(name, self->pmd, 0));
		ASSERT_EQ(0, expose(name, i % 2 ? self->pmd : sysconf(_SC_PAGESIZE), path));
	}
	for (int i = n - 2; i >= 0; i -= 2) {
		sprintf(name, "n%02d", i);
		EXPECT_EQ(0, hide(name));
		EXPECT_EQ(0, release(name));
	}
	for (int i = 1; i < n; i += 2) {
		int fd;
		char *map;

		sprintf(name, "n%02d", i);
		EXPECT_EQ(-EALREADY, expose(name, 0, path));
		fd = open(path, O_RDWR);
		ASSERT_LE(0, fd);
		map = mmap(NULL, self->pmd, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		ASSERT_NE(MAP_FAILED, map);
		memset(map, i, self->pmd);
		munmap(map, self->pmd);
		close(fd);
		EXPECT_EQ(0, hide(name));
		EXPECT_EQ(0, release(name));
	}
}

#define BUS	"/sys/bus/dax/"

/* Write a device's name to a file of a driver. Returns 0 or the negative error. */
static int tell_driver(const char *driver, const char *file, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	char to[128];
	int fd, err;

	snprintf(to, sizeof(to), BUS "drivers/%s/%s", driver, file);
	fd = open(to, O_WRONLY);
	if (fd < 0)
		return -errno;
	err = write(fd, name, strlen(name)) < 0 ? -errno : 0;
	close(fd);
	return err;
}

static int device_has(const char *path, const char *file)
{
	char at[128];

	snprintf(at, sizeof(at), BUS "devices/%s/%s", strrchr(path, '/') + 1, file);
	return !access(at, F_OK);
}

/* What a guest has in it would be anybody's. */
TEST_F(expose, never_system_ram)
{
	unsigned long long pages = vm_counter("nr_free_pages");
	char path[64];

	if (access(BUS "drivers/kmem", F_OK))
		SKIP(return, "there is no driver that makes System RAM of devices");
	ASSERT_EQ(0, create("x", 256 * MIB, 128 * MIB));
	ASSERT_EQ(0, expose("x", self->pmd, path));
	EXPECT_FALSE(device_has(path, "target_node"));
	ASSERT_EQ(0, tell_driver("device_dax", "unbind", path));
	EXPECT_EQ(0, tell_driver("kmem", "new_id", path));
	EXPECT_FALSE(device_has(path, "driver"));
	EXPECT_NE(0, tell_driver("kmem", "bind", path));
	EXPECT_FALSE(device_has(path, "driver"));
	EXPECT_EQ(0, tell_driver("kmem", "remove_id", path));
	EXPECT_GT(pages + 128 * MIB / sysconf(_SC_PAGESIZE), vm_counter("nr_free_pages"));
	/* No driver at all is nobody's. */
	EXPECT_EQ(0, hide("x"));
	EXPECT_EQ(0, release("x"));
}

/* A driver that has bound to the device is responsible for it. */
TEST_F(expose, not_hidden_from_another_driver)
{
	char path[64];

	if (access(BUS "drivers/fsdev_dax", F_OK))
		SKIP(return, "there is no other driver");
	ASSERT_EQ(0, create("x", self->pmd, 0));
	ASSERT_EQ(0, expose("x", self->pmd, path));
	ASSERT_EQ(0, tell_driver("device_dax", "unbind", path));
	EXPECT_EQ(0, tell_driver("fsdev_dax", "new_id", path));
	EXPECT_EQ(0, tell_driver("fsdev_dax", "remove_id", path));
	ASSERT_TRUE(device_has(path, "driver"));
	EXPECT_EQ(-EBUSY, hide("x"));
	EXPECT_EQ(-EBUSY, release("x"));
	ASSERT_EQ(0, tell_driver("fsdev_dax", "unbind", path));
	ASSERT_EQ(0, tell_driver("device_dax", "bind", path));
	EXPECT_EQ(0, hide("x"));
	EXPECT_EQ(0, release("x"));
}

/* Memory of the pool is never free address space, whether or not a driver has it. */
TEST_F(expose, shown_without_a_driver)
{
	struct kho_pool_extent_info info;
	char path[64];

	ASSERT_EQ(0, create("x", 4 * self->pmd, self->pmd));
	ASSERT_EQ(0, query("x", &info));
	EXPECT_TRUE(iomem_has(info.phys, "KHO pool"));
	ASSERT_EQ(0, expose("x", self->pmd, path));
	for (int i = 0; i < 3; i++) {
		EXPECT_TRUE(iomem_has(info.phys, path + 5));
		ASSERT_EQ(0, tell_driver("device_dax", "unbind", path));
		EXPECT_TRUE(iomem_has(info.phys, "KHO pool"));
		/* A driver that fails: it can have no memory without a node. */
		ASSERT_EQ(0, tell_driver("kmem", "new_id", path));
		EXPECT_FALSE(device_has(path, "driver"));
		EXPECT_TRUE(iomem_has(info.phys, "KHO pool"));
		ASSERT_EQ(0, tell_driver("kmem", "remove_id", path));
		ASSERT_EQ(0, tell_driver("device_dax", "bind", path));
	}
	EXPECT_TRUE(iomem_has(info.phys + info.bytes - 1, path + 5));
	EXPECT_EQ(0, hide("x"));
	EXPECT_TRUE(iomem_has(info.phys, "KHO pool"));
	/* Hidden while it had no driver */
	ASSERT_EQ(0, expose("x", self->pmd, path));
	ASSERT_EQ(0, tell_driver("device_dax", "unbind", path));
	EXPECT_EQ(0, hide("x"));
	EXPECT_TRUE(iomem_has(info.phys, "KHO pool"));
	EXPECT_EQ(0, release("x"));
}

/* Who exposes an extent wants a driver, even if devices are to wait for one. */
TEST_F(expose, drivers_not_probed)
{
	char path[64];

	ASSERT_EQ(0, create("x", self->pmd, 0));
	ASSERT_EQ(0, write_file(BUS "drivers_autoprobe", "0"));
	EXPECT_EQ(0, expose("x", self->pmd, path));
	EXPECT_EQ(0, write_file(BUS "drivers_autoprobe", "1"));
	EXPECT_TRUE(device_has(path, "driver"));
	EXPECT_EQ(0, hide("x"));
	EXPECT_EQ(0, release("x"));
}

/* The driver of the device comes and goes while it is hidden. */
TEST_F(expose, hide_against_bind_and_unbind)
{
	int hidden = 0, status;
	char path[64];
	pid_t pid;

	/* Enough pages to take a while to check */
	ASSERT_EQ(0, create("x", 64 * MIB, self->pmd));
	pid = fork();
	if (!pid) {
		for (;;) {
			struct kho_pool_extent_info info;

			if (query("x", &info) || !(info.flags & KHO_POOL_EXTENT_EXPOSED))
				continue;
			sprintf(path, "/dev/dax%u.%u", info.dax_region, info.dax_id);
			tell_driver("device_dax", "unbind", path);
			tell_driver("device_dax", "bind", path);
		}
	}
	for (int i = 0; i < 100 || hidden < 50; i++) {
		int err = expose("x", sysconf(_SC_PAGESIZE), path);

		/* It is not made if the driver has gone at once. */
		EXPECT_TRUE(!err || err == -ENOMEM) TH_LOG("%d", err);
		nanosleep(&(struct timespec){ .tv_nsec = i % 20 * 500000 }, NULL);
		if (!err) {
			EXPECT_EQ(0, hide("x"));
			hidden++;
		}
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, release("x"));
}

/* A user comes and goes while another wants to hide it. */
TEST_F(expose, hide_against_users)
{
	int hidden = 0, busy = 0, status;
	char path[64];
	pid_t pid;

	ASSERT_EQ(0, create("x", 4 * self->pmd, self->pmd));
	pid = fork();
	if (!pid) {
		for (;;) {
			struct kho_pool_extent_info info;
			char *map;
			int fd;

			if (query("x", &info) || !(info.flags & KHO_POOL_EXTENT_EXPOSED))
				continue;
			sprintf(path, "/dev/dax%u.%u", info.dax_region, info.dax_id);
			fd = open(path, O_RDWR);
			map = mmap(NULL, 4 * self->pmd, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
			/* SIGBUS, if it was hidden in between, would end us. */
			if (map != MAP_FAILED && !madvise(map, self->pmd, MADV_POPULATE_WRITE))
				*(volatile char *)map = 1;
			munmap(map, 4 * self->pmd);
			close(fd);
		}
	}
	for (int i = 0; i < 200 || !hidden; i++) {
		int err = expose("x", self->pmd, path);

		EXPECT_TRUE(!err || err == -EALREADY);
		nanosleep(&(struct timespec){ .tv_nsec = i % 10 * 500000 }, NULL);
		err = hide("x");
		EXPECT_TRUE(!err || err == -EBUSY) TH_LOG("%d", err);
		hidden += !err;
		busy += err == -EBUSY;
	}
	kill(pid, SIGKILL);
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	TH_LOG("hidden %d times, busy %d times", hidden, busy);
	hidden = hide("x");
	EXPECT_TRUE(!hidden || hidden == -ENXIO);
	EXPECT_EQ(0, release("x"));
}

TEST_HARNESS_MAIN
