/* SPDX-License-Identifier: GPL-2.0 */
/* Kexec handover with images of kexec_load(2). */
#ifndef _LINUX_KHO_LOAD_H
#define _LINUX_KHO_LOAD_H

#include <linux/errno.h>
#include <linux/types.h>
#include <uapi/linux/kexec.h>

struct kho_scratch;
struct kimage;

#ifdef CONFIG_KEXEC_HANDOVER_LOAD
int kho_load_image(struct kimage *image, unsigned long flags);
void kho_load_fill(struct kimage *image);
void kho_load_free(struct kimage *image);
bool kho_load_own_tree(const struct kimage *image);
phys_addr_t kho_load_phys(void);
const struct kho_scratch *kho_load_areas(unsigned int *nr);
#else
static inline int kho_load_image(struct kimage *image, unsigned long flags)
{
	return flags & KEXEC_HANDOVER ? -EOPNOTSUPP : 0;
}

static inline void kho_load_fill(struct kimage *image)
{
}

static inline void kho_load_free(struct kimage *image)
{
}

static inline bool kho_load_own_tree(const struct kimage *image)
{
	return false;
}

static inline phys_addr_t kho_load_phys(void)
{
	return 0;
}
#endif

#endif /* _LINUX_KHO_LOAD_H */
