// SPDX-License-Identifier: Apache-2.0
#include "event/sinks.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/stats.h"
#include "base/text.h"
#include "tests/test.h"

static void
make(struct event_view *v, const char *host)
{
	static struct event e;
	struct err err = {0};
	event_init(&e, EVENT_KIND_REQUEST);
	event_time(&e, 1700000000123);
	event_cstr(&e, EVENT_HOST, host);
	struct span s = event_bytes(&e);
	CHECK_OK(event_read(&s, v, &err), &err);
}

static void
check_file(const char *path, const char *want)
{
	struct err err = {0};
	struct span s;
	CHECK_OK(file_read(path, 100000, &s, &err), &err);
	CHECK_STR((const char *)s.p, want);
	mem_free((void *)(uintptr_t)s.p);
}

static void
a_renamed_file_is_begun_anew(void)
{
	static struct event_view v;
	struct sinks all;
	struct err err = {0};
	char dir[] = "/tmp/sekisho-sink-XXXXXX";
	char path[100];
	char moved[100];
	CHECK(mkdtemp(dir));
	text_format(path, sizeof(path), "%s/a.log", dir);
	text_format(moved, sizeof(moved), "%s/a.log.1", dir);

	sinks_init(&all);
	CHECK_OK(sinks_open(&all, SPAN("file"), span_str(path), &err), &err);
	make(&v, "one");
	sinks_put(&all, &v);
	sinks_flush(&all);
	check_file(path,
		"{\"time\":\"2023-11-14T22:13:20.123Z\",\"kind\":\"request\",\"host\":"
		"\"one\"}\n");
	CHECK_INT(rename(path, moved), 0);
	make(&v, "two");
	sinks_put(&all, &v);
	sinks_fini(&all);
	check_file(path,
		"{\"time\":\"2023-11-14T22:13:20.123Z\",\"kind\":\"request\",\"host\":"
		"\"two\"}\n");
	CHECK_INT(unlink(path) + unlink(moved) + rmdir(dir), 0);
}

static void
a_stopped_reader_is_not_waited_for(void)
{
	static struct event_view v;
	static char longest[1900];
	struct sinks all;
	struct err err = {0};
	int ends[2];
	int kept = dup(STDOUT_FILENO);
	for (size_t i = 0; i + 1 < sizeof(longest); i++)
		longest[i] = 'x';
	make(&v, longest);
	CHECK_INT(pipe(ends), 0);
	CHECK(dup2(ends[1], STDOUT_FILENO) >= 0);
	sinks_init(&all);
	CHECK_OK(sinks_open(&all, SPAN("stdout"), SPAN(""), &err), &err);
	uint64_t before = stat_get(STAT_EVENTS_UNSENT);
	for (int i = 0; i < 1000; i++)
		sinks_put(&all, &v);
	sinks_flush(&all);
	sinks_fini(&all);
	CHECK(dup2(kept, STDOUT_FILENO) >= 0);
	close(kept);
	close(ends[0]);
	close(ends[1]);
	CHECK(stat_get(STAT_EVENTS_UNSENT) > before);
}

static void
unknown_kinds_and_targets_are_refused(void)
{
	struct sinks all;
	struct err err = {0};
	sinks_init(&all);
	CHECK(!sinks_open(&all, SPAN("carrier-pigeon"), SPAN(""), &err));
	CHECK(!sinks_open(&all, SPAN("file"), SPAN(""), &err));
	CHECK(!sinks_open(&all, SPAN("file"), SPAN("/nonexistent/x"), &err));
	CHECK(!sinks_open(&all, SPAN("stdout"), SPAN("x"), &err));
	CHECK_INT(err.code, ERR_EVENT_SINK);
	CHECK(!all.first);
	sinks_fini(&all);
	size_t n = 0;
	while (sinks_kind(n))
		n++;
	CHECK_INT(n, 2);
}

TESTS(a_renamed_file_is_begun_anew, a_stopped_reader_is_not_waited_for,
	unknown_kinds_and_targets_are_refused)
