/* The calls about signals. */
#include "kernel/proc/signal.h"
#include "syscall/user.h"

long sys_rt_sigaction(unsigned long signal, unsigned long action, unsigned long old_action, unsigned long set_size)
{
    return do_rt_sigaction((int)signal, action, old_action, set_size);
}

long sys_rt_sigprocmask(unsigned long how, unsigned long set, unsigned long old_set, unsigned long set_size)
{
    return do_rt_sigprocmask((int)how, set, old_set, set_size);
}

long sys_rt_sigpending(unsigned long set, unsigned long set_size)
{
    return do_rt_sigpending(set, set_size);
}

long sys_rt_sigsuspend(unsigned long set, unsigned long set_size)
{
    return do_rt_sigsuspend(set, set_size);
}

long sys_rt_sigtimedwait(unsigned long set, unsigned long info, unsigned long timeout, unsigned long set_size)
{
    return do_rt_sigtimedwait(set, info, timeout, set_size);
}

long sys_rt_sigqueueinfo(unsigned long pid, unsigned long signal, unsigned long info)
{
    return do_rt_sigqueueinfo((int)pid, (int)signal, info);
}

long sys_rt_tgsigqueueinfo(unsigned long tgid, unsigned long tid, unsigned long signal, unsigned long info)
{
    return do_rt_tgsigqueueinfo((int)tgid, (int)tid, (int)signal, info);
}

long sys_sigaltstack(unsigned long stack, unsigned long old_stack)
{
    return do_sigaltstack(stack, old_stack);
}

long sys_pause(void)
{
    return do_pause();
}

long sys_kill(unsigned long pid, unsigned long signal)
{
    return do_kill((int)pid, (int)signal);
}

long sys_tkill(unsigned long tid, unsigned long signal)
{
    return do_tkill((int)tid, (int)signal);
}

long sys_tgkill(unsigned long tgid, unsigned long tid, unsigned long signal)
{
    return do_tgkill((int)tgid, (int)tid, (int)signal);
}

long sys_restart_syscall(void)
{
    return do_restart_syscall();
}
