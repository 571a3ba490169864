/* The other header in which programs look for strcasecmp. */
#include <string.h>
