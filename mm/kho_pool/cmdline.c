// SPDX-License-Identifier: GPL-2.0-only
/*
 * kho_pool= on the command line, and other arguments that take memory later.
 */
#define pr_fmt(fmt) "kho_pool: " fmt

#include <linux/ctype.h>
#include <linux/hugetlb.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/memblock.h>
#include <linux/nodemask.h>
#include <linux/string.h>

#include "early.h"

char kp_args[COMMAND_LINE_SIZE] __initdata;

static int __init kp_parse_kho_pool(char *arg)
{
	if (!arg || !*arg)
		arg = "?";
	if (kp_args[0])
		strlcat(kp_args, ",", sizeof(kp_args));
	strlcat(kp_args, arg, sizeof(kp_args));
	return 0;
}
early_param("kho_pool", kp_parse_kho_pool);

/*
 * What hugetlb_cma= reserves after the pools are made: a size or a percentage, for some of
 * the nodes, or, in the last element, to be spread over all of them.
 */
static struct {
	u64 size, percent;
} kp_hugetlb_cma[MAX_NUMNODES + 1] __initdata;

static int __init kp_parse_hugetlb_cma(char *arg)
{
	char *next = arg;

	while (next && *next) {
		unsigned long nid = MAX_NUMNODES;
		char *end;
		u64 size = memparse(next, &end);

		if (*end == ':') {
			if (size >= MAX_NUMNODES)
				break;
			nid = size;
			size = memparse(end + 1, &end);
		} else {
			memset(kp_hugetlb_cma, 0, sizeof(kp_hugetlb_cma));
		}
		if (*end == '%')
			kp_hugetlb_cma[nid].percent = size;
		else
			kp_hugetlb_cma[nid].size = size;
		next = strchr(end, ',');
		next += !!next;
	}
	return 0;
}
early_param("hugetlb_cma", kp_parse_hugetlb_cma);

/* Bytes in a gigantic page of hugetlb_cma=, or 0 if this kernel ignores it */
u64 __init kp_hugetlb_cma_page(void)
{
#if defined(CONFIG_HUGETLB_PAGE) && defined(CONFIG_CMA)
	unsigned int order = arch_hugetlb_cma_order();

	return order ? PAGE_SIZE << order : 0;
#else
	return 0;
#endif
}

static u64 __init kp_hugetlb_cma_own(int nid)
{
	return kp_hugetlb_cma[nid].size +
	       kp_hugetlb_cma[nid].percent * div_u64(kp_memory_on(nid), 100);
}

/**
 * kp_hugetlb_cma_on - how much hugetlb_cma= will reserve
 * @nid: on this node, or NUMA_NO_NODE
 *
 * Return: bytes.
 */
u64 __init kp_hugetlb_cma_on(int nid)
{
	u64 all = kp_hugetlb_cma[MAX_NUMNODES].size + kp_hugetlb_cma[MAX_NUMNODES].percent *
		  div_u64(memblock_phys_mem_size(), 100);
	u64 page = kp_hugetlb_cma_page(), own = 0;
	u32 nodes = 0;
	int node;

	if (!page)
		return 0;
	for_each_online_node(node) {
		if (!kp_memory_on(node))
			continue;
		nodes++;
		own += kp_hugetlb_cma_own(node);
	}
	if (nid == NUMA_NO_NODE)
		return own ?: all;
	if (own)
		return kp_hugetlb_cma_own(nid);
	/* The first nodes get whole pages, the last ones what is left, perhaps nothing. */
	return min(all, DIV_ROUND_UP(all, max(nodes, 1U) * page) * page);
}

/* Files next to the pools, in /sys/kernel/mm/kho_pool and in /dev/kho_pool */
static const char *const kp_taken[] __initconst = {
	"control", "handover", "incompat", "kexec", "ro_compat", "strict",
};

static const char *__init kp_parse_want(char *arg, struct kp_want *want)
{
	char *colon = strchr(arg, ':'), *end;

	strscpy(want->name, "default");
	want->nid = NUMA_NO_NODE;
	if (colon) {
		if (colon == arg)
			return "the name is empty";
		if (colon - arg >= sizeof(want->name))
			return "the name is longer than 31 bytes";
		memcpy(want->name, arg, colon - arg);
		want->name[colon - arg] = 0;
		if (want->name[0] == '.')
			return "a name does not begin with a dot";
		if (!kp_name_valid(want->name, sizeof(want->name)))
			return "a name is made of ASCII letters, digits, '-', '_' and '.'";
		for (u32 i = 0; i < ARRAY_SIZE(kp_taken); i++)
			if (!strcmp(want->name, kp_taken[i]))
				return "that name is taken";
		arg = colon + 1;
	}
	if (!isdigit(*arg))
		return "a size is missing";
	want->size = memparse(arg, &end);
	if (*end == '@') {
		unsigned int nid;

		if (kstrtouint(end + 1, 10, &nid))
			return "the node is not a number";
		if (nid >= MAX_NUMNODES || !node_online(nid))
			return "there is no such node";
		want->nid = nid;
	} else if (*end) {
		return "the size is malformed";
	}
	if (!want->size)
		return "the size is zero";
	if (want->size > memblock_end_of_DRAM())
		return "the size is larger than memory";
	want->size = round_up(want->size, KHO_POOL_SECTION);
	return NULL;
}

/* All well-formed elements of kho_pool= */
struct kp_want kp_wants[KHO_POOL_MAX_REGIONS] __initdata;
u32 kp_nr_wants __initdata;

/**
 * kp_parse_wants - split kho_pool= into its elements, and report errors
 */
void __init kp_parse_wants(void)
{
	char *rest = kp_args, *arg;

	while ((arg = strsep(&rest, ","))) {
		struct kp_want want = { .arg = arg };
		const char *wrong = kp_parse_want(arg, &want);

		if (!wrong && kp_nr_wants == ARRAY_SIZE(kp_wants))
			wrong = "there are too many before it";
		if (wrong)
			pr_err("kho_pool=%s: %s\n", arg, wrong);
		else
			kp_wants[kp_nr_wants++] = want;
	}
}
