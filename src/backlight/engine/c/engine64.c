/* The engine in double precision. */
#define REAL_BITS 64
#include "session.h"
