// SPDX-License-Identifier: Apache-2.0
/* Frames between our processes: never outside the packet, and they end. */
#include "base/must.h"
#include "net/ipc.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct span packet = span_of(p, n);
	struct span frame;
	size_t used = 0;

	while (ipc_next(&packet, &frame)) {
		used += 4 + frame.n;
		must(frame.n == 0 || (frame.p >= p && frame.p + frame.n <= p + n));
		must(used + packet.n == n);
	}
	return 0;
}
