// SPDX-License-Identifier: Apache-2.0
#include "doctor/say.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SENTENCE = 4096 };

const char *
say(const struct home *h, const char *english)
{
	if (h->language != JAPANESE)
		return english;
	for (const struct say_row *r = say_rows; r->en; r++) {
		if (strcmp(r->en, english) == 0)
			return r->ja;
	}
	return english;
}

/* "{3}" at the front of s: 3, else 10. */
static size_t
place_of(struct span s)
{
	if (s.n < 3 || s.p[0] != '{' || s.p[2] != '}' || !ascii_is_digit(s.p[1]))
		return 10;
	return (size_t)(s.p[1] - '0');
}

const char *
say_with(struct home *h, const char *english, const char *const *words, size_t n)
{
	struct span s = span_str(say(h, english));
	char *line = mem_alloc(SENTENCE);
	struct text t = text_to(line, SENTENCE);

	while (s.n > 0) {
		size_t i = place_of(s);
		if (i < n) {
			text_add(&t, "%s", words[i]);
			s = span_from(s, 3);
			continue;
		}
		text_put(&t, span_first(s, 1));
		s = span_from(s, 1);
	}
	const char *kept = arena_cstr(&h->a, text_span(&t));
	mem_free(line);
	return kept;
}
