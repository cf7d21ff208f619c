// SPDX-License-Identifier: Apache-2.0
/*
 * test: a unit test file in four words. cmocka behind it, TAP in front.
 *
 *	static void a_thing_holds(void) { CHECK(1 + 1 == 2); }
 *	TESTS(a_thing_holds)
 *
 * Up to 64 tests a file; their names are sentences.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "base/err.h"

#define CHECK(x) _assert_true((x) ? 1 : 0, #x, __FILE__, __LINE__)
#define CHECK_INT(got, want) \
	_assert_int_equal((uintmax_t)(got), (uintmax_t)(want), __FILE__, __LINE__)
#define CHECK_STR(got, want) _assert_string_equal((got), (want), __FILE__, __LINE__)
/* Compares a span with a literal and prints both when they differ. */
#define CHECK_SPAN(got, lit) test_check_span((got), SPAN(lit), __FILE__, __LINE__)
/* Runs x, which must succeed; prints *err otherwise. */
#define CHECK_OK(x, err)                                                   \
	((x) ? (void)0                                                     \
	     : (print_error("%s: %s\n", err_id((err)->code), (err)->text), \
		       _fail(__FILE__, __LINE__)))

static inline void
test_check_span(struct span got, struct span want, const char *file, int line)
{
	if (span_eq(got, want))
		return;
	print_error("got  \"%.*s\" (%zu)\nwant \"%.*s\"\n", SPAN_ARG(got), got.n,
		SPAN_ARG(want));
	_fail(file, line);
}

#define TEST_ROW(f)                       \
	static void f##_row(void **state) \
	{                                 \
		(void)state;              \
		f();                      \
	}
#define TEST_ENTRY(f) {#f, f##_row, NULL, NULL, NULL},

#define TEST_PAREN            ()
#define TEST_X1(...)          TEST_X2(TEST_X2(TEST_X2(TEST_X2(__VA_ARGS__))))
#define TEST_X2(...)          TEST_X3(TEST_X3(TEST_X3(TEST_X3(__VA_ARGS__))))
#define TEST_X3(...)          TEST_X4(TEST_X4(TEST_X4(TEST_X4(__VA_ARGS__))))
#define TEST_X4(...)          __VA_ARGS__
#define TEST_EACH(m, ...)     TEST_X1(TEST_PICK2(m, __VA_ARGS__))
#define TEST_PICK2(m, x, ...) m(x) __VA_OPT__(TEST_AGAIN2 TEST_PAREN(m, __VA_ARGS__))
#define TEST_AGAIN2()         TEST_PICK2

#define TESTS(...)                                                \
	TEST_EACH(TEST_ROW, __VA_ARGS__)                          \
	int main(void)                                            \
	{                                                         \
		const struct CMUnitTest tests[] = {               \
			TEST_EACH(TEST_ENTRY, __VA_ARGS__)};      \
		cmocka_set_message_output(CM_OUTPUT_TAP);         \
		return cmocka_run_group_tests(tests, NULL, NULL); \
	}
