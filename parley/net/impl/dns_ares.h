// c-ares' header, in the dress of every version: newer ones mark as deprecated what Debian 12's has
// nothing else for. Private to net.
#pragma once

#define CARES_NO_DEPRECATED
#include <ares.h>
#undef CARES_NO_DEPRECATED
