// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every ioctl of /dev/kho_pool/control, and every bad argument.  Needs kho_pool=
 * with at least 1 GiB, and for the seal debugfs and CONFIG_KHO_POOL_DEBUG.
 */
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "control.h"
#include "harness.h"

#define MIB	(1ULL << 20)

/* Bad names: 56 bytes without a NUL, and all others. */
static const char * const bad_names[] = {
	"", ".", ".hidden", "a/b", "a b", "a\n", "\xc3\xbc", "\xfc", "../x",
	"12345678901234567890123456789012345678901234567890123456",
};

static void put_name(char *to, size_t size, const char *name)
{
	memset(to, 0, size);
	memcpy(to, name, strnlen(name, size));
}

FIXTURE(control)
{
	unsigned long long free_bytes, extents;
	long page;
};

FIXTURE_SETUP(control)
{
	control = open(CONTROL, O_RDWR);
	ASSERT_LE(0, control);
	self->page = sysconf(_SC_PAGESIZE);
	self->free_bytes = number_in(POOL "free_bytes");
	self->extents = number_in(POOL "extents");
	ASSERT_LT(512 * MIB, self->free_bytes);
}

/* Whatever a test tries: nothing is lost, nothing is left. */
FIXTURE_TEARDOWN(control)
{
	EXPECT_EQ(self->free_bytes, number_in(POOL "free_bytes"));
	EXPECT_EQ(self->extents, number_in(POOL "extents"));
	close(control);
}

TEST_F(control, only_root_may_open_it)
{
	struct stat st;

	ASSERT_EQ(0, stat(CONTROL, &st));
	EXPECT_EQ(0600, st.st_mode & 0777);
	EXPECT_TRUE(S_ISCHR(st.st_mode));
}

TEST_F(control, create_query_release)
{
	struct kho_pool_extent_info info;
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c), .nid = -1, .bytes = 4 * MIB, .name = "vm-1",
	};

	ASSERT_EQ(0, call(KHO_POOL_CREATE, &c));
	EXPECT_NE(0, c.phys);
	/* Without a wish it is aligned for the largest pages that divide its size. */
	EXPECT_EQ(0, c.phys % (2 * MIB));
	ASSERT_EQ(0, query("vm-1", &info));
	EXPECT_EQ(c.phys, info.phys);
	EXPECT_EQ(4 * MIB, info.bytes);
	EXPECT_EQ(KHO_POOL_EXTENT_USER, info.flags);
	EXPECT_EQ(0, info.align);
	EXPECT_STREQ("user", info.owner);
	EXPECT_STREQ("vm-1", info.name);
	EXPECT_EQ(self->free_bytes - 4 * MIB, number_in(POOL "free_bytes"));
	EXPECT_EQ(0, release("vm-1"));
	EXPECT_EQ(-ENOENT, release("vm-1"));
	EXPECT_EQ(-ENOENT, query("vm-1", &info));
}

TEST_F(control, it_outlives_the_file_and_the_process)
{
	struct kho_pool_extent_info info;
	int status;

	if (!fork())
		_exit(-create("orphan", MIB, 0));
	wait(&status);
	EXPECT_EQ(0, status);
	close(control);
	control = open(CONTROL, O_RDWR);
	EXPECT_EQ(0, query("orphan", &info));
	EXPECT_EQ(0, release("orphan"));
}

TEST_F(control, sizes_and_alignments)
{
	static const struct {
		__u64 bytes, align;
		int err;
	} cases[] = {
		{ 0, 0, -EINVAL },
		{ 1, 0, -EINVAL },
		{ 4097, 0, -EINVAL },
		{ 2 * MIB + 1, 0, -EINVAL },
		{ 4 * MIB, 1, -EINVAL },
		{ 4 * MIB, 3 * MIB, -EINVAL },
		{ 4 * MIB, ~0ULL, -EINVAL },
		{ ~0ULL << 16, 0, -ENOMEM },
		{ ~0ULL, 0, -EINVAL },
		{ 1ULL << 62, 0, -ENOMEM },
		{ 4 * MIB, 1ULL << 62, -ENOMEM },
		{ 64 << 10, 0, 0 },
		{ 64 << 10, 64 << 10, 0 },
		{ 2 * MIB, 0, 0 },
		{ 6 * MIB, 4 * MIB, 0 },
		{ 130 * MIB, 128 * MIB, 0 },
	};
	struct kho_pool_extent_info info;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		ASSERT_EQ(cases[i].err, create("x", cases[i].bytes, cases[i].align))
			TH_LOG("%llu bytes, align %llu", cases[i].bytes, cases[i].align);
		if (cases[i].err)
			continue;
		ASSERT_EQ(0, query("x", &info));
		EXPECT_EQ(cases[i].bytes, info.bytes);
		if (cases[i].align)
			EXPECT_EQ(0, info.phys % cases[i].align);
		ASSERT_EQ(0, release("x"));
	}
}

TEST_F(control, bad_names)
{
	struct kho_pool_ioctl_create c = { .size = sizeof(c), .nid = -1, .bytes = 2 * MIB };
	struct kho_pool_ioctl_expose e = { .size = sizeof(e) };
	struct kho_pool_ioctl_query q = { .size = sizeof(q) };
	struct kho_pool_ioctl_name n = { .size = sizeof(n) };

	for (size_t i = 0; i < ARRAY_SIZE(bad_names); i++) {
		const char *bad = bad_names[i];

		put_name(c.name, sizeof(c.name), bad);
		EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c)) TH_LOG("'%s'", bad);
		put_name(n.name, sizeof(n.name), bad);
		EXPECT_EQ(-EINVAL, call(KHO_POOL_RELEASE, &n)) TH_LOG("'%s'", bad);
		EXPECT_EQ(-EINVAL, call(KHO_POOL_HIDE, &n)) TH_LOG("'%s'", bad);
		put_name(e.name, sizeof(e.name), bad);
		EXPECT_EQ(-EINVAL, call(KHO_POOL_EXPOSE, &e)) TH_LOG("'%s'", bad);
		put_name(q.name, sizeof(q.name), bad);
		EXPECT_EQ(-EINVAL, call(KHO_POOL_QUERY, &q)) TH_LOG("'%s'", bad);
	}
	/* The longest that there may be */
	EXPECT_EQ(0, create("1234567890123456789012345678901234567890123456789012345",
			    2 * MIB, 0));
	EXPECT_EQ(0, release("1234567890123456789012345678901234567890123456789012345"));
}

TEST_F(control, pools)
{
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c), .nid = -1, .bytes = 2 * MIB, .name = "x", .pool = "default",
	};
	struct kho_pool_ioctl_list l = { .size = sizeof(l), .pool = "other",
					 .info_size = sizeof(struct kho_pool_extent_info) };
	struct kho_pool_ioctl_expose e = { .size = sizeof(e), .name = "x", .pool = "other" };
	struct kho_pool_ioctl_query q = { .size = sizeof(q), .name = "x", .pool = "other" };
	struct kho_pool_ioctl_name n = { .size = sizeof(n), .name = "x", .pool = "other" };

	EXPECT_EQ(-ENODEV, call(KHO_POOL_RELEASE, &n));
	EXPECT_EQ(-ENODEV, call(KHO_POOL_HIDE, &n));
	EXPECT_EQ(-ENODEV, call(KHO_POOL_EXPOSE, &e));
	EXPECT_EQ(-ENODEV, call(KHO_POOL_QUERY, &q));
	EXPECT_EQ(-ENODEV, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(0, call(KHO_POOL_CREATE, &c));
	EXPECT_EQ(0, release("x"));
	strcpy(c.pool, "other");
	c.phys = 0;
	EXPECT_EQ(-ENODEV, call(KHO_POOL_CREATE, &c));
	strcpy(c.pool, "../x");
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
	memset(c.pool, 'a', sizeof(c.pool));
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
}

TEST_F(control, flags_nodes_and_reserved_members)
{
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c), .nid = -1, .bytes = 2 * MIB, .name = "x",
	}, good = c;
	struct kho_pool_ioctl_expose e = { .size = sizeof(e), .name = "x", .reserved = 1 };
	struct kho_pool_ioctl_query q = { .size = sizeof(q), .name = "x", .reserved = 1 };
	struct kho_pool_ioctl_name n = { .size = sizeof(n), .name = "x", .reserved = 1 };

	for (int bit = 1; bit < 64; bit++) {
		c.flags = 1ULL << bit;
		EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c)) TH_LOG("flag %d", bit);
	}
	c = good;
	c.phys = 1 << 30;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
	c = good;
	c.nid = -2;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
	c.nid = 1 << 20;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
	/* No node is named that it could be bound to. */
	c.nid = -1;
	c.flags = KHO_POOL_CREATE_THISNODE;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_CREATE, &c));
	c.nid = 0;
	EXPECT_EQ(0, call(KHO_POOL_CREATE, &c));
	EXPECT_EQ(-EINVAL, call(KHO_POOL_RELEASE, &n));
	EXPECT_EQ(-EINVAL, call(KHO_POOL_HIDE, &n));
	EXPECT_EQ(-EINVAL, call(KHO_POOL_EXPOSE, &e));
	EXPECT_EQ(-EINVAL, call(KHO_POOL_QUERY, &q));
	EXPECT_EQ(0, release("x"));
}

TEST_F(control, names_are_unique)
{
	EXPECT_EQ(0, create("once", 2 * MIB, 0));
	EXPECT_EQ(-EEXIST, create("once", 4 * MIB, 0));
	EXPECT_EQ(0, release("once"));
}

TEST_F(control, more_than_there_is)
{
	struct kho_pool_ioctl_create c = {
		.size = sizeof(c), .nid = 0, .flags = KHO_POOL_CREATE_THISNODE, .name = "x",
		.bytes = (self->free_bytes + 2 * MIB) & -(2 * MIB),
	};

	EXPECT_EQ(-ENOMEM, create("x", c.bytes, 0));
	EXPECT_EQ(-ENOSPC, call(KHO_POOL_CREATE, &c));
	EXPECT_EQ(0, c.phys);
}

static int seal(int on)
{
	int fd = open("/sys/kernel/debug/kho_pool/sealed", O_WRONLY), err;

	if (fd < 0)
		return -errno;
	err = write(fd, on ? "1" : "0", 1) < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* During a kexec nothing changes, but everything can be read. */
TEST_F(control, sealed)
{
	struct kho_pool_extent_info info;
	int errors[5];

	ASSERT_EQ(0, create("x", 2 * MIB, 0));
	ASSERT_EQ(0, create("shown", 2 * MIB, 0));
	ASSERT_EQ(0, expose("shown", 0, NULL));
	ASSERT_EQ(0, seal(1));
	errors[0] = create("y", 2 * MIB, 0);
	errors[1] = release("x");
	errors[2] = expose("x", 0, NULL);
	errors[3] = hide("shown");
	errors[4] = query("shown", &info);
	ASSERT_EQ(0, seal(0));
	for (int i = 0; i < 4; i++) {
		EXPECT_EQ(-ESHUTDOWN, errors[i])
			TH_LOG("call %d", i);
	}
	EXPECT_EQ(0, errors[4]);
	EXPECT_EQ(KHO_POOL_EXTENT_USER | KHO_POOL_EXTENT_EXPOSED, info.flags);
	/* Calls that failed have changed nothing. */
	ASSERT_EQ(0, query("x", &info));
	EXPECT_EQ(KHO_POOL_EXTENT_USER, info.flags);
	EXPECT_EQ(0, expose("x", 0, NULL));
	EXPECT_EQ(0, hide("x"));
	EXPECT_EQ(0, hide("shown"));
	EXPECT_EQ(0, release("shown"));
	EXPECT_EQ(0, release("x"));
}

/* A structure may be shorter or longer than the kernel's. */
TEST_F(control, sizes_of_structures)
{
	static const struct {
		unsigned int cmd;
		/* As of now, and the least there ever was */
		size_t size, ver0;
	} cmds[] = {
		{ KHO_POOL_CREATE, sizeof(struct kho_pool_ioctl_create), 128 },
		{ KHO_POOL_RELEASE, sizeof(struct kho_pool_ioctl_name), 96 },
		{ KHO_POOL_EXPOSE, sizeof(struct kho_pool_ioctl_expose), 112 },
		{ KHO_POOL_HIDE, sizeof(struct kho_pool_ioctl_name), 96 },
		{ KHO_POOL_QUERY, sizeof(struct kho_pool_ioctl_query), 224 },
		{ KHO_POOL_LIST, sizeof(struct kho_pool_ioctl_list), 72 },
	};
	union {
		struct kho_pool_ioctl_create create;
		char bytes[4096];
		__u32 size;
	} u;

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++) {
		static const __u32 short_ones[] = { 0, 1, 4, 8 };

		for (size_t j = 0; j < ARRAY_SIZE(short_ones); j++) {
			memset(&u, 0, sizeof(u));
			u.size = short_ones[j];
			EXPECT_EQ(-EINVAL, call(cmds[i].cmd, &u)) TH_LOG("cmd %zu", i);
		}
		memset(&u, 0, sizeof(u));
		u.size = cmds[i].ver0 - 1;
		EXPECT_EQ(-EINVAL, call(cmds[i].cmd, &u)) TH_LOG("cmd %zu", i);
		/* Something at the end that this kernel knows nothing of */
		u.size = cmds[i].size + 8;
		u.bytes[cmds[i].size + 7] = 1;
		EXPECT_EQ(-E2BIG, call(cmds[i].cmd, &u)) TH_LOG("cmd %zu", i);
		memset(&u, 0, sizeof(u));
		u.size = sizeof(u) + 1;
		EXPECT_EQ(-E2BIG, call(cmds[i].cmd, &u)) TH_LOG("cmd %zu", i);
		u.size = ~0U;
		EXPECT_EQ(-E2BIG, call(cmds[i].cmd, &u)) TH_LOG("cmd %zu", i);
	}
	/* What a program of the first version has */
	memset(&u, 0, sizeof(u));
	u.create = (struct kho_pool_ioctl_create){
		.size = 128, .nid = -1, .bytes = 2 * MIB, .name = "first",
	};
	EXPECT_EQ(0, call(KHO_POOL_CREATE, &u));
	EXPECT_NE(0, u.create.phys);
	EXPECT_EQ(0, release("first"));
	/* Nothing at the end */
	memset(&u, 0, sizeof(u));
	u.create = (struct kho_pool_ioctl_create){
		.size = sizeof(u), .nid = -1, .bytes = 2 * MIB, .name = "long",
	};
	EXPECT_EQ(0, call(KHO_POOL_CREATE, &u));
	EXPECT_NE(0, u.create.phys);
	EXPECT_EQ(sizeof(u), u.create.size);
	EXPECT_EQ(0, release("long"));
}

TEST_F(control, bad_pointers_and_numbers)
{
	char *edge = mmap(NULL, 2 * self->page, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kho_pool_ioctl_create *c;

	ASSERT_NE(MAP_FAILED, edge);
	ASSERT_EQ(0, munmap(edge + self->page, self->page));
	for (unsigned int nr = 0; nr < 6; nr++) {
		EXPECT_EQ(-EFAULT, call(_IO(KHO_POOL_IOCTL_TYPE, nr), NULL));
		EXPECT_EQ(-EFAULT, call(_IO(KHO_POOL_IOCTL_TYPE, nr), (void *)-4096L));
		EXPECT_EQ(-EFAULT, call(_IO(KHO_POOL_IOCTL_TYPE, nr), edge + self->page));
	}
	/* Its size can be read, the rest of it not. */
	c = (void *)(edge + self->page - 8);
	*(__u32 *)c = sizeof(*c);
	EXPECT_EQ(-EFAULT, call(KHO_POOL_CREATE, c));

	EXPECT_EQ(-ENOTTY, call(_IO(KHO_POOL_IOCTL_TYPE, 6), edge));
	EXPECT_EQ(-ENOTTY, call(_IO(KHO_POOL_IOCTL_TYPE, 255), edge));
	EXPECT_EQ(-ENOTTY, call(_IO(0xba, 0), edge));
	EXPECT_EQ(-ENOTTY, call(_IOWR(KHO_POOL_IOCTL_TYPE, 0, int), edge));
	munmap(edge, self->page);
}

/* The answer cannot be written: the extent exists under its name. */
TEST_F(control, read_only_structure)
{
	struct kho_pool_extent_info info;
	struct kho_pool_ioctl_create *c;

	c = mmap(NULL, self->page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, c);
	*c = (struct kho_pool_ioctl_create){
		.size = sizeof(*c), .nid = -1, .bytes = 2 * MIB, .name = "x",
	};
	ASSERT_EQ(0, mprotect(c, self->page, PROT_READ));
	EXPECT_EQ(-EFAULT, call(KHO_POOL_CREATE, c));
	EXPECT_EQ(0, query("x", &info));
	EXPECT_EQ(0, release("x"));
	munmap(c, self->page);
}

TEST_F(control, list)
{
	struct kho_pool_extent_info infos[8], rest[8], longer[4];
	struct kho_pool_ioctl_list l = {
		.size = sizeof(l), .info_size = sizeof(*infos), .infos = (uintptr_t)infos,
		.nr = 8,
	}, all = l;
	char name[] = "e0";

	for (; name[1] < '5'; name[1]++)
		ASSERT_EQ(0, create(name, 2 * MIB, 0));
	ASSERT_EQ(0, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(self->extents + 5, l.total);
	EXPECT_EQ(l.total < 8 ? l.total : 8, l.nr);
	for (__u64 i = 1; i < l.nr; i++)
		EXPECT_LT(infos[i - 1].phys, infos[i].phys);

	/* The rest of them */
	l = all;
	l.infos = (uintptr_t)rest;
	l.skip = self->extents + 3;
	ASSERT_EQ(0, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(2, l.nr);
	EXPECT_EQ(self->extents + 5, l.total);
	EXPECT_EQ(infos[self->extents + 3].phys, rest[0].phys);
	l = all;
	l.skip = ~0ULL;
	ASSERT_EQ(0, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(0, l.nr);

	/* Only how many */
	l = all;
	l.infos = 0;
	l.nr = 0;
	ASSERT_EQ(0, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(self->extents + 5, l.total);

	/* For a later header, with longer entries */
	memset(longer, 0xff, sizeof(longer));
	l = all;
	l.nr = 2;
	l.info_size = 2 * sizeof(*longer);
	l.infos = (uintptr_t)longer;
	ASSERT_EQ(0, call(KHO_POOL_LIST, &l));
	EXPECT_EQ(2, l.nr);
	EXPECT_EQ(infos[0].phys, longer[0].phys);
	EXPECT_EQ(infos[1].phys, longer[2].phys);
	EXPECT_EQ(0, longer[1].phys);

	l = all;
	l.info_size = sizeof(*infos) - 1;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_LIST, &l));
	l = all;
	l.total = 1;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_LIST, &l));
	l = all;
	l.nr = ~0ULL;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_LIST, &l));
	l = all;
	l.infos = ~0ULL - 100;
	EXPECT_EQ(-EINVAL, call(KHO_POOL_LIST, &l));
	l = all;
	l.infos = 0;
	EXPECT_EQ(-EFAULT, call(KHO_POOL_LIST, &l));

	for (name[1] = '0'; name[1] < '5'; name[1]++)
		EXPECT_EQ(0, release(name));
}

/* A process that gets the file can read, but not change anything or learn addresses. */
TEST_F(control, without_privileges)
{
	struct kho_pool_extent_info info;
	int status;

	ASSERT_EQ(0, create("x", 2 * MIB, 0));
	if (!fork()) {
		if (setgid(65534) || setuid(65534))
			_exit(1);
		_exit(open(CONTROL, O_RDWR) >= 0 || errno != EACCES ? 2 :
		      create("y", 2 * MIB, 0) != -EPERM ? 3 :
		      release("x") != -EPERM ? 4 :
		      expose("x", 0, NULL) != -EPERM ? 5 :
		      hide("x") != -EPERM ? 6 :
		      query("x", &info) ? 7 :
		      info.bytes != 2 * MIB ? 8 : info.phys != 0 ? 9 : 0);
	}
	wait(&status);
	EXPECT_EQ(0, status) TH_LOG("step %d", WEXITSTATUS(status));
	EXPECT_EQ(0, query("x", &info));
	EXPECT_EQ(0, release("x"));
}

/* Done, or another one has been there first */
static int fair(int err, int lost)
{
	return !err || err == -ENOENT || err == -lost;
}

/*
 * What another process releases is gone once, and what one makes is made once.
 * Ends the process if a call gives what it cannot give.
 */
static void *fight(void *seed)
{
	unsigned int random = (uintptr_t)seed;

	for (;;) {
		struct kho_pool_extent_info info;
		int what = rand_r(&random) % 5, err, fine;
		char name[] = "r0";

		name[1] += rand_r(&random) % 4;
		switch (what) {
		case 0:
			err = create(name, (1 + rand_r(&random) % 3) * 2 * MIB, 2 * MIB);
			fine = !err || err == -EEXIST;
			break;
		case 1:
			err = release(name);
			fine = fair(err, EBUSY);
			break;
		case 2:
			err = expose(name, 2 * MIB, NULL);
			fine = fair(err, EALREADY);
			break;
		case 3:
			err = hide(name);
			fine = fair(err, ENXIO);
			break;
		default:
			err = query(name, &info);
			fine = fair(err, ENOENT);
		}
		if (!fine) {
			fprintf(stderr, "# call %d of %s: %s\n", what, name, strerror(-err));
			_exit(1);
		}
	}
}

/* Some are killed in a call, and some leave while another thread is in one. */
TEST_F(control, races_with_each_other_and_with_exit)
{
	unsigned long long allocs = number_in(POOL "allocs");
	pid_t pid[4];

	for (int round = 0; round < 8; round++) {
		for (uintptr_t i = 0; i < 4; i++) {
			pthread_t thread;

			pid[i] = fork();
			if (!pid[i] && i % 2)
				fight((void *)(round * 4 + i));
			if (!pid[i]) {
				if (pthread_create(&thread, NULL, fight, (void *)(round * 4 + i)))
					_exit(2);
				nanosleep(&(struct timespec){ .tv_nsec = 150000000 }, NULL);
				_exit(0);
			}
		}
		/* However slow they are, those that are killed have done something. */
		while (number_in(POOL "allocs") < allocs + 3 * (round + 1))
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
		for (int i = 0; i < 4; i++) {
			int status;

			if (i % 2)
				kill(pid[i], SIGKILL);
			EXPECT_EQ(pid[i], waitpid(pid[i], &status, 0));
			EXPECT_EQ(i % 2 ? SIGKILL : 0, status);
		}
	}
	for (char name[] = "r0"; name[1] < '4'; name[1]++) {
		int err = hide(name);

		EXPECT_TRUE(!err || err == -ENXIO || err == -ENOENT);
		err = release(name);
		EXPECT_TRUE(!err || err == -ENOENT);
	}
}

TEST_HARNESS_MAIN
