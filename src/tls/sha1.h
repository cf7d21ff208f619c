// SPDX-License-Identifier: Apache-2.0
/*
 * sha1: SHA-1, for protocols that use it as a checksum and rely on nothing of it
 * (RFC 6455 §1.3).
 */
#pragma once

#include "base/span.h"

enum { SHA1_BYTES = 20 };

void sha1(uint8_t dst[SHA1_BYTES], struct span s);
