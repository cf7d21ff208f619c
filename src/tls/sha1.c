// SPDX-License-Identifier: Apache-2.0
#include "tls/sha1.h"

#include "base/must.h"
#include "pki/digest.h"

void
sha1(uint8_t dst[SHA1_BYTES], struct span s)
{
	must(digest_begin(DIGEST_SHA1));
	digest_add(DIGEST_SHA1, s);
	(void)digest_end(DIGEST_SHA1, dst);
}
