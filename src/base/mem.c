// SPDX-License-Identifier: Apache-2.0
#include "base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/must.h"

void *
mem_alloc(size_t n)
{
	void *p = calloc(1, n > 0 ? n : 1);
	must(p != NULL);
	return p;
}

void *
mem_array(size_t count, size_t n)
{
	void *p = calloc(count > 0 ? count : 1, n > 0 ? n : 1);
	must(p != NULL);
	return p;
}

void *
mem_resize(void *p, size_t n)
{
	void *grown = realloc(p, n > 0 ? n : 1);
	must(grown != NULL);
	return grown;
}

char *
mem_cstr(struct span s)
{
	char *p = mem_alloc(s.n + 1);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return p;
}

void
mem_free(void *p)
{
	free(p);
}

void *
mem_grow(void *p, size_t *cap, size_t want, size_t n)
{
	if (want <= *cap)
		return p;
	size_t grown = *cap > 0 ? *cap : 8;
	while (grown < want) {
		must(grown <= SIZE_MAX / 2);
		grown *= 2;
	}
	must(grown <= SIZE_MAX / n);
	*cap = grown;
	return mem_resize(p, grown * n);
}

void
secret_wipe(void *p, size_t n)
{
	if (n > 0)
		explicit_bzero(p, n);
}

void
secret_random(void *p, size_t n)
{
	uint8_t *at = p;
	while (n > 0) {
		ssize_t got = getrandom(at, n, 0);
		if (got < 0 && errno == EINTR)
			continue;
		must(got > 0);
		at += got;
		n -= (size_t)got;
	}
}

bool
secret_eq(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *x = a;
	const volatile uint8_t *y = b;
	uint8_t differ = 0;
	for (size_t i = 0; i < n; i++)
		differ |= (uint8_t)(x[i] ^ y[i]);
	return differ == 0;
}
