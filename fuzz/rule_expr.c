// SPDX-License-Identifier: Apache-2.0
/* Any octets as a rule in both dialects; what compiles is printed, read back, must
 * print the same, and is evaluated both times with the same verdict. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "tests/rule/scheme.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { TEXT_ROOM = 1 << 20 };

static void
expect(bool x)
{
	if (!x)
		abort();
}

static void
print_and_read_again(const struct scheme *s, const struct rule_expr *e)
{
	char *room = mem_alloc(TEXT_ROOM);
	char *other = mem_alloc(TEXT_ROOM);
	struct text t = text_to(room, TEXT_ROOM);
	struct text u = text_to(other, TEXT_ROOM);
	struct rule_expr *again;
	struct rule_error error;
	struct facts f = {{PHASE_RESPONSE}, "a.example", "/x", 443};

	rule_put(&t, e);
	expect(rule_compile(s, text_span(&t), (struct rule_options){.any_length = true},
		&again, &error));
	rule_put(&u, again);
	expect(span_eq(text_span(&t), text_span(&u)));
	expect(rule_eval(e, &f) == rule_eval(again, &f));
	rule_free(again);
	mem_free(other);
	mem_free(room);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct scheme s;
	struct err err = {0};
	struct lists *lists = lists_new();
	struct span item = SPAN("a.example");
	expect(lists_add(lists,
		&(struct list_source){.name = SPAN("bad"), .type = TYPE_NONE}, &item, 1,
		&err));
	scheme_init(&s, test_fields, COUNT_OF(test_fields), lists);
	for (int dialect = RULE_EDGE; dialect <= RULE_GATEWAY; dialect++) {
		struct rule_expr *e;
		struct rule_error error;
		struct rule_options options = {.dialect = (enum rule_dialect)dialect};
		if (rule_compile(&s, span_of(p, n), options, &e, &error)) {
			print_and_read_again(&s, e);
			rule_free(e);
		} else {
			expect(error.line > 0 && error.col > 0 && error.width > 0);
			expect(error.message[0] != '\0');
		}
	}
	scheme_fini(&s);
	lists_free(lists);
	return 0;
}
