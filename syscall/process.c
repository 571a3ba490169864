/* The calls about processes and threads: how they begin, wait, end, and who belongs to whom. */
#include "kernel/cpu/cpu.h"
#include "kernel/proc/proc.h"
#include "kernel/proc/rseq.h"
#include "syscall/user.h"

#define EXIT_CODE_MASK 0xff

long sys_fork(void)
{
    return do_clone(&(struct clone_args_kernel){ .exit_signal = SIGCHLD });
}

long sys_vfork(void)
{
    return do_clone(&(struct clone_args_kernel){ .flags = CLONE_VFORK | CLONE_VM, .exit_signal = SIGCHLD });
}

long sys_clone(unsigned long flags, unsigned long stack, unsigned long parent_tid, unsigned long child_tid,
               unsigned long tls)
{
    return do_clone(&(struct clone_args_kernel){
        .flags = (u32)flags & ~CSIGNAL,
        .stack = stack,
        .parent_tid = parent_tid,
        .child_tid = child_tid,
        .tls = tls,
        .exit_signal = (int)(flags & CSIGNAL),
    });
}

long sys_clone3(unsigned long args, unsigned long size)
{
    return do_clone3(args, size);
}

long sys_execveat(unsigned long dirfd, unsigned long path_from, unsigned long argv, unsigned long envp,
                  unsigned long flags)
{
    char *path = get_path(path_from);
    if (IS_ERR(path))
        return PTR_ERR(path);
    long result = do_execveat((int)dirfd, path, argv, envp, (int)flags);
    kfree(path);
    return result;
}

long sys_execve(unsigned long path, unsigned long argv, unsigned long envp)
{
    return sys_execveat((unsigned long)AT_FDCWD, path, argv, envp, 0);
}

long sys_exit(unsigned long code)
{
    do_exit(code & EXIT_CODE_MASK, false);
}

long sys_exit_group(unsigned long code)
{
    do_exit(code & EXIT_CODE_MASK, true);
}

long sys_wait4(unsigned long pid, unsigned long status, unsigned long options, unsigned long usage)
{
    return do_wait4((int)pid, status, (int)options, usage);
}

long sys_waitid(unsigned long type, unsigned long id, unsigned long info, unsigned long options,
                unsigned long usage)
{
    return do_waitid((int)type, (int)id, info, (int)options, usage);
}

/* ---- who is who ---- */

long sys_getpid(void)
{
    return current->process->pid;
}

long sys_gettid(void)
{
    return current->pid;
}

long sys_getppid(void)
{
    const struct process *parent = current->process->parent;
    return parent ? parent->pid : 0;
}

long sys_getpgid(unsigned long pid)
{
    return do_getpgid((int)pid);
}

long sys_getpgrp(void)
{
    return current->process->pgid;
}

long sys_setpgid(unsigned long pid, unsigned long pgid)
{
    return do_setpgid((int)pid, (int)pgid);
}

long sys_setsid(void)
{
    return do_setsid();
}

long sys_getsid(unsigned long pid)
{
    return do_getsid((int)pid);
}

/* ---- threads ---- */

long sys_set_tid_address(unsigned long address)
{
    current->clear_child_tid = address;
    return current->pid;
}

long sys_futex(unsigned long address, unsigned long operation, unsigned long value, unsigned long timeout,
               unsigned long address2, unsigned long value3)
{
    return do_futex(address, (int)operation, (u32)value, timeout, address2, (u32)value3);
}

long sys_set_robust_list(unsigned long head, unsigned long size)
{
    return do_set_robust_list(head, size);
}

long sys_get_robust_list(unsigned long pid, unsigned long head, unsigned long size)
{
    return do_get_robust_list((int)pid, head, size);
}

long sys_rseq(unsigned long area, unsigned long size, unsigned long flags, unsigned long signature)
{
    return do_rseq(area, (u32)size, (int)flags, (u32)signature);
}

#define ARCH_GET_CPUID 0x1011
#define ARCH_SET_CPUID 0x1012
#define ARCH_GET_XCOMP_SUPP 0x1021
#define ARCH_GET_XCOMP_PERM 0x1022
#define XFEATURES_LEGACY 3ul    /* x87 and SSE, which FXSAVE has */
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

long sys_arch_prctl(unsigned long code, unsigned long address)
{
    switch ((int)code) {
    case ARCH_SET_FS:
    case ARCH_SET_GS:
        if (address >= TASK_SIZE)
            return -EPERM;
        if ((int)code == ARCH_SET_FS)
            cpu_set_fs_base(address);
        else
            cpu_set_gs_base(address);
        return 0;
    case ARCH_GET_FS:
        return put_user(cpu_get_fs_base(), address);
    case ARCH_GET_GS:
        return put_user(cpu_get_gs_base(), address);
    case ARCH_GET_XCOMP_SUPP:
        return put_user(this_cpu.has_xsave ? this_cpu.xsave_mask : XFEATURES_LEGACY, address);
    case ARCH_GET_XCOMP_PERM:
        return put_user(this_cpu.has_xsave ? this_cpu.xsave_mask : 0ul, address);
    case ARCH_GET_CPUID:
        return 1;                       /* the instruction is allowed, and can't be forbidden */
    case ARCH_SET_CPUID:
        return -ENODEV;
    default:
        return -EINVAL;
    }
}
