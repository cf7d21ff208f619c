// SPDX-License-Identifier: Apache-2.0
#include "tls/sha1.h"

#include <openssl/evp.h>

#include "base/must.h"

void
sha1(uint8_t dst[SHA1_BYTES], struct span s)
{
	must(EVP_Digest(s.p, s.n, dst, NULL, EVP_sha1(), NULL) == 1); /* memory */
}
