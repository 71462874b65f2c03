/* What a build says of itself. */
#include "interface.h"

#ifndef BACKLIGHT_BUILD
#define BACKLIGHT_BUILD "unknown"
#endif

__attribute__((visibility("default"))) const char *backlight_build(void) { return BACKLIGHT_BUILD; }
