/* The other header in which programs look for ucontext_t. */
#include <signal.h>
