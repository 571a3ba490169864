/* poweroff: end the machine. Only this kernel's: on any other, it leaves the machine alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
    if (access("/proc/zeropage", F_OK) < 0) {
        fprintf(stderr,
                "poweroff: this is not the zeropage kernel, so I leave the machine alone\n");
        return 1;
    }
    reboot(RB_POWER_OFF);
    fprintf(stderr, "poweroff: the kernel refuses: %s\n", strerror(errno));
    return 1;
}
