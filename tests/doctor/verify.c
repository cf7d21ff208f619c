// SPDX-License-Identifier: Apache-2.0
#include "doctor/verify.h"

#include "doctor/run.h"
#include "tests/doctor/shed.h"

static struct shed shed;
static struct home home;

/* A tool whose program is a shell's line. */
static enum verify_result
try(const char *line, const char *proof, struct verify_answer *a)
{
	struct tool_row row = {.name = "curl",
		.programs = "sh",
		.files = "",
		.verify = line,
		.proof = proof};
	struct err err = {0};

	CHECK_OK(verify_tool(&home, &row, "https://a.example:8443/x", a, &err), &err);
	return a->result;
}

static void
the_programs_end_and_words_decide(void)
{
	static const struct {
		const char *line;
		const char *proof;
		enum verify_result want;
	} rows[] = {
		{"exit 0", "", VERIFY_WORKS},
		{"echo 'got 404 Not Found'; exit 1", "404", VERIFY_WORKS},
		{"echo 'curl: (60) SSL certificate problem: unable to get local issuer "
		 "certificate'; exit 60",
			"404", VERIFY_FAILS},
		{"echo 'out of memory'; exit 2", "404", VERIFY_UNSURE},
		{"", "", VERIFY_ABSENT},
		{"[ \"$HOST:$PORT $URL\" = 'a.example:8443 https://a.example:8443/x' ]",
			"", VERIFY_WORKS},
		{"[ \"$SSL_CERT_FILE\" = '/from/env.sh' ]", "", VERIFY_WORKS},
		{"mkdir -p \"$DIR/a/b\" && echo x > \"$DIR/a/b/c\"", "", VERIFY_WORKS},
	};
	struct err err = {0};

	shed_open(&shed);
	setenv("PATH", "/usr/bin:/bin", 1);
	setenv("SSL_CERT_FILE", "/from/outside", 1);
	shed_put(
		&shed, ".config/sekisho/env.sh", "export SSL_CERT_FILE=/from/env.sh\n");
	CHECK_OK(home_open(&home, NULL, &err), &err);
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct verify_answer a;
		CHECK_INT(try(rows[i].line, rows[i].proof, &a), rows[i].want);
		verify_answer_fini(&a);
	}
	unsetenv("SSL_CERT_FILE");
	home_close(&home);
	shed_close(&shed);
}

static void
only_https_is_tried(void)
{
	const struct tool_row row = {
		.name = "x", .programs = "sh", .files = "", .verify = "true"};
	struct verify_answer a;
	struct err err = {0};

	shed_open(&shed);
	CHECK_OK(home_open(&home, NULL, &err), &err);
	CHECK(!verify_tool(&home, &row, "http://a.example/", &a, &err));
	CHECK_INT(err.code, ERR_USAGE);
	CHECK(!verify_tool(&home, &row, "https://a.example:x/", &a, &err));
	home_close(&home);
	shed_close(&shed);
}

static void
a_program_has_an_end_and_its_children_too(void)
{
	const char *argv[] = {
		"/bin/sh", "-c", "echo hello; sleep 600 & sleep 600", NULL};
	struct run_ask ask = {.argv = argv, .timeout_ms = 300};
	struct run_answer a = {0};
	struct err err = {0};

	CHECK_OK(run_program(&ask, &a, &err), &err);
	CHECK_INT(a.code, -1);
	CHECK_STR(a.output, "hello\n");
	run_answer_fini(&a);
	argv[0] = "/nonexistent/program";
	CHECK(!run_program(&ask, &a, &err));
	CHECK_INT(err.code, ERR_DOCTOR_RUN);
}

static void
much_output_is_cut_and_does_not_block(void)
{
	const char *argv[] = {
		"/bin/sh", "-c", "head -c 300000 /dev/zero; exit 7", NULL};
	struct run_ask ask = {.argv = argv, .timeout_ms = 60000};
	struct run_answer a = {0};
	struct err err = {0};

	CHECK_OK(run_program(&ask, &a, &err), &err);
	CHECK_INT(a.n, RUN_OUTPUT);
	CHECK_INT(a.code, 7);
	run_answer_fini(&a);
}

TESTS(the_programs_end_and_words_decide, only_https_is_tried,
	a_program_has_an_end_and_its_children_too,
	much_output_is_cut_and_does_not_block)
