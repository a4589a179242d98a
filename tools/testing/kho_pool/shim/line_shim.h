/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What kernel/params.c, lib/cmdline.c and lib/ctype.c of a kernel tree need besides
 * that tree's ctype.h and moduleparam.h.  The headers that the Makefile makes include
 * this one.  Anything unrelated to parsing a command line does nothing.
 */
#ifndef _KHO_POOL_LINE_SHIM_H
#define _KHO_POOL_LINE_SHIM_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

#include <shim.h>

typedef int8_t s8;
typedef int16_t s16;
#define __u64			u64

#define __init
#define __counted_by(n)
#define fallthrough		__attribute__((fallthrough))
#undef EXPORT_SYMBOL
#define EXPORT_SYMBOL(name)
#undef EXPORT_SYMBOL_GPL
#define EXPORT_SYMBOL_GPL(name)
#define PAGE_SIZE		4096
#define GFP_KERNEL		0

#define pr_debug(...)		do { } while (0)
#define pr_notice(...)		do { } while (0)
#define pr_warn(...)		do { } while (0)
#define pr_err(...)		do { } while (0)

/* As linux/string.h and linux/kernel.h have them, for includers of both kinds */
char *skip_spaces(const char *str);
char *next_arg(char *args, char **param, char **val);
bool parameq(const char *a, const char *b);

#define simple_strtol		strtol
#define simple_strtoull		strtoull
#define scnprintf		snprintf
#define check_sub_overflow	__builtin_sub_overflow
#define check_shl_overflow(a, shift, to)	(*(to) = (a) << (shift), (*(to) >> (shift)) != (a))
#define size_add(a, b)		((a) + (b))
#define kmalloc(size, gfp)	malloc(size)
#define kfree(p)		free(p)
#define slab_is_available()	true
#define ERR_PTR(err)		((void *)(long)(err))
#define irqs_disabled()		false

/* No parameter has a type here: parse_args() is given a function for all. */
#define kstrtou8(val, base, to)		((void)(val), (void)(to), -EINVAL)
#define kstrtos16			kstrtou8
#define kstrtou16			kstrtou8
#define kstrtoint			kstrtou8
#define kstrtouint(val, base, to)	(*(to) = 0, -EINVAL)
#define kstrtol				kstrtou8
#define kstrtoul			kstrtou8
#define kstrtoull			kstrtou8
#define kstrtobool(val, to)		(*(bool *)(to) = false, -EINVAL)

#define LOCKDOWN_MODULE_PARAMETERS	0
#define TAINT_USER			0
#define LOCKDEP_STILL_OK		0
#define security_locked_down(what)	0
#define add_taint(flag, lockdep)	do { } while (0)

struct list_head {
	struct list_head *next;
};

#define LIST_HEAD(name)			struct list_head name
#define DEFINE_SPINLOCK(name)		int name
#define spin_lock(lock)			((void)(lock))
#define spin_unlock(lock)		((void)(lock))
#define list_add(entry, head)		((head)->next = (entry))
#define list_del(entry)			((void)(entry))
/* Nothing is on it. */
#define list_for_each_entry(p, head, member)	for (p = NULL; p; p = NULL)

struct module;

struct module_attribute {
	int mode;
};

struct attribute_group {
	const char *name;
};

#endif /* _KHO_POOL_LINE_SHIM_H */
