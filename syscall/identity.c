/* The calls about user and group ids. */
#include "syscall/user.h"

#define UNCHANGED (~0u)

/* One kind of id of a task: real, effective, saved. */
struct ids {
    u32 *real, *effective, *saved;
};

static struct ids user_ids(void)
{
    return (struct ids){ &current->uid, &current->euid, &current->suid };
}

static struct ids group_ids(void)
{
    return (struct ids){ &current->gid, &current->egid, &current->sgid };
}

/* What may be locked and mapped low follows from being the superuser. */
static void identity_changed(void)
{
    bool superuser = current->euid == 0;
    current->mm->may_lock_beyond_limit = superuser;
    current->mm->may_map_low = superuser;
}

static bool is_one_of(struct ids ids, u32 id)
{
    return id == *ids.real || id == *ids.effective || id == *ids.saved;
}

/* UNCHANGED leaves an id as it is. Without privilege only one's own ids can be taken. */
static long set_all(struct ids ids, u32 real, u32 effective, u32 saved)
{
    u32 wanted[] = { real, effective, saved };

    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
        if (wanted[i] != UNCHANGED && current->euid != 0 && !is_one_of(ids, wanted[i]))
            return -EPERM;
    }
    if (real != UNCHANGED)
        *ids.real = real;
    if (effective != UNCHANGED)
        *ids.effective = effective;
    if (saved != UNCHANGED)
        *ids.saved = saved;
    identity_changed();
    return 0;
}

/* setuid: the superuser changes all three for good, others their effective one. */
static long set_one(struct ids ids, u32 id)
{
    if (id == UNCHANGED)
        return -EINVAL;
    if (current->euid == 0)
        return set_all(ids, id, id, id);
    if (id != *ids.real && id != *ids.saved)
        return -EPERM;
    *ids.effective = id;
    identity_changed();
    return 0;
}

/* setreuid: a change of the real id, or of the effective one to something else than the real one, is saved too. */
static long set_two(struct ids ids, u32 real, u32 effective)
{
    u32 old_real = *ids.real;
    bool saves = real != UNCHANGED || (effective != UNCHANGED && effective != old_real);

    if (current->euid != 0 && real != UNCHANGED && real != *ids.real && real != *ids.effective)
        return -EPERM;
    long result = set_all(ids, real, effective, UNCHANGED);
    if (result == 0 && saves)
        *ids.saved = *ids.effective;
    return result;
}

static long get_all(struct ids ids, unsigned long real, unsigned long effective, unsigned long saved)
{
    if (put_user(*ids.real, real) || put_user(*ids.effective, effective) || put_user(*ids.saved, saved))
        return -EFAULT;
    return 0;
}

long sys_getuid(void)
{
    return current->uid;
}

long sys_geteuid(void)
{
    return current->euid;
}

long sys_getgid(void)
{
    return current->gid;
}

long sys_getegid(void)
{
    return current->egid;
}

long sys_setuid(unsigned long id)
{
    return set_one(user_ids(), (u32)id);
}

long sys_setgid(unsigned long id)
{
    return set_one(group_ids(), (u32)id);
}

long sys_setreuid(unsigned long real, unsigned long effective)
{
    return set_two(user_ids(), (u32)real, (u32)effective);
}

long sys_setregid(unsigned long real, unsigned long effective)
{
    return set_two(group_ids(), (u32)real, (u32)effective);
}

long sys_setresuid(unsigned long real, unsigned long effective, unsigned long saved)
{
    return set_all(user_ids(), (u32)real, (u32)effective, (u32)saved);
}

long sys_setresgid(unsigned long real, unsigned long effective, unsigned long saved)
{
    return set_all(group_ids(), (u32)real, (u32)effective, (u32)saved);
}

long sys_getresuid(unsigned long real, unsigned long effective, unsigned long saved)
{
    return get_all(user_ids(), real, effective, saved);
}

long sys_getresgid(unsigned long real, unsigned long effective, unsigned long saved)
{
    return get_all(group_ids(), real, effective, saved);
}

/* There are no supplementary groups. */
long sys_getgroups(unsigned long size, unsigned long list)
{
    (void)list;
    return (int)size < 0 ? -EINVAL : 0;
}

/* There are no groups but the one of each task: the list may only be emptied. */
#define NGROUPS_MAX 65536u

long sys_setgroups(unsigned long size, unsigned long list)
{
    u32 first;

    if (current->euid != 0)
        return -EPERM;
    if ((u32)size > NGROUPS_MAX)
        return -EINVAL;
    if ((u32)size > 0 && get_user(first, list))
        return -EFAULT;
    return (u32)size == 0 ? 0 : -EINVAL;
}
