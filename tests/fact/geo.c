// SPDX-License-Identifier: Apache-2.0
#include "fact/geo.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "tests/test.h"

/*
 * The smallest database there is: one node whose both sides lead to one record,
 * {"country": {"iso_code": "JP"}} (MaxMind DB format 2.0: records of 24 bits, 16 octets
 * of zero, the data, then the marked metadata).
 */
// clang-format off
#define TREE "\0\0\x11" "\0\0\x11"
#define DATA "\xe1" "\x47" "country" "\xe1" "\x48" "iso_code" "\x42" "JP"
#define META "\xab\xcd\xef" "MaxMind.com" "\xe9" \
	"\x4a" "node_count" "\xc1\x01" \
	"\x4b" "record_size" "\xa1\x18" \
	"\x4a" "ip_version" "\xa1\x04" \
	"\x4d" "database_type" "\x44" "Test" \
	"\x5b" "binary_format_major_version" "\xa1\x02" \
	"\x5b" "binary_format_minor_version" "\xa1\0" \
	"\x4b" "build_epoch" "\1\2\1" \
	"\x49" "languages" "\1\4" "\x42" "en" \
	"\x4b" "description" "\xe1" "\x42" "en" "\x41" "T"
// clang-format on
static const char database[] = TREE "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" DATA META;

static void
a_country_comes_from_the_file(void)
{
	char path[] = "/tmp/sekisho-geo-XXXXXX";
	struct err err = {0};
	int fd = mkstemp(path);
	CHECK(fd >= 0);
	close(fd);
	CHECK_OK(
		file_replace(path, span_of(database, sizeof(database) - 1), 0600, &err),
		&err);
	const char *paths[] = {path};
	struct geo *g = geo_open(paths, 1, &err);
	CHECK_OK(g != NULL, &err);
	struct ip ip = ip_v4(0x0a000001);
	struct value v = geo_find(g, &ip, GEO_COUNTRY);
	CHECK_INT(v.kind, VALUE_STRING);
	CHECK_SPAN(v.s, "JP");
	CHECK_INT(geo_find(g, &ip, GEO_CITY).kind, VALUE_MISSING);
	CHECK_INT(geo_find(NULL, &ip, GEO_COUNTRY).kind, VALUE_MISSING);
	geo_close(g);
	unlink(path);
}

static void
a_file_of_another_kind_is_refused(void)
{
	struct err err = {0};
	const char *paths[] = {"/etc/passwd"};
	CHECK(geo_open(paths, 1, &err) == NULL);
	CHECK_INT(err.code, ERR_FILE_READ);
	CHECK(strstr(err.text, "/etc/passwd") != NULL);
}

TESTS(a_country_comes_from_the_file, a_file_of_another_kind_is_refused)
