/* The engine in single precision. */
#define REAL_BITS 32
#include "session.h"
