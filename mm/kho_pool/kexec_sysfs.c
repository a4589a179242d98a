// SPDX-License-Identifier: GPL-2.0-only
/*
 * What would become of a kexec now, in /sys/kernel/mm/kho_pool: for whoever is about to
 * stop services for one.
 */
#include <linux/cleanup.h>
#include <linux/init.h>
#include <linux/kobject.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <linux/sysfs.h>

#include "handover.h"

/* So that one who asks is not what makes another one find it busy. */
static DEFINE_MUTEX(kexec_show_lock);

static ssize_t kexec_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct kp_verdict verdict = {};
	int err;

	scoped_guard(mutex, &kexec_show_lock)
		err = kp_kexec_verdict(&verdict);
	if (err)
		return sysfs_emit(buf, err == -ENOENT ? "none\n" : "busy\n");
	if (verdict.why)
		return sysfs_emit(buf, "refused: %s\n", verdict.why);
	return sysfs_emit(buf, verdict.unsaid ? "unknown\n" : "ready\n");
}

/* Each read looks at the whole image. */
static struct kobj_attribute kexec_attr = __ATTR(kexec, 0400, kexec_show, NULL);

static ssize_t incompat_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", kp_incompat());
}

static struct kobj_attribute incompat_attr = __ATTR_RO(incompat);

static ssize_t ro_compat_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%#llx\n", kp_ro_compat());
}

static struct kobj_attribute ro_compat_attr = __ATTR_RO(ro_compat);

static ssize_t strict_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", kp_strict);
}

static ssize_t strict_store(struct kobject *kobj, struct kobj_attribute *attr, const char *buf,
			    size_t count)
{
	return kstrtobool(buf, &kp_strict) ?: count;
}

static struct kobj_attribute strict_attr = __ATTR_RW(strict);

static const struct attribute *const kexec_attrs[] = {
	&kexec_attr.attr,
	&incompat_attr.attr,
	&ro_compat_attr.attr,
	&strict_attr.attr,
	NULL
};

static int __init kho_pool_kexec_sysfs_init(void)
{
	return kp_state.kobj ? sysfs_create_files(kp_state.kobj, kexec_attrs) : 0;
}
fs_initcall_sync(kho_pool_kexec_sysfs_init);
