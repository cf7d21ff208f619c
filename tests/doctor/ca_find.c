// SPDX-License-Identifier: Apache-2.0
#include "doctor/ca_find.h"

#include "tests/doctor/shed.h"

static struct shed shed;
static struct home home;
static struct bundle bundle;
static struct ca_list list;

static void
enter(void)
{
	struct err err = {0};

	setenv("PATH", "/nonexistent", 1);
	CHECK_OK(home_open(&home, shed_path(&shed, "system"), &err), &err);
	bundle_open(&bundle, &home);
	ca_list_init(&list);
}

static void
leave(void)
{
	ca_list_fini(&list);
	bundle_close(&bundle);
	home_close(&home);
	shed_close(&shed);
}

static void
what_administrators_and_settings_name_is_found_once(void)
{
	shed_open(&shed);
	shed_put(&shed, "system/usr/local/share/ca-certificates/corp.crt", shed.pem);
	shed_put(&shed, ".wgetrc", "ca_certificate = /nowhere.pem\n");
	enter();
	setenv("NODE_EXTRA_CA_CERTS", shed_path(&shed, "corp.pem"), 1);
	ca_find_all(&list, &home, &bundle, true);
	unsetenv("NODE_EXTRA_CA_CERTS");
	CHECK_INT(list.n, 1);
	CHECK_STR(list.all[0].from, "added to the system's list");
	leave();
}

static void
a_setting_alone_leads_to_it(void)
{
	shed_open(&shed);
	enter();
	setenv("NODE_EXTRA_CA_CERTS", shed_path(&shed, "corp.pem"), 1);
	ca_find_all(&list, &home, &bundle, false);
	unsetenv("NODE_EXTRA_CA_CERTS");
	CHECK_INT(list.n, 1);
	CHECK_STR(list.all[0].from, "named by NODE_EXTRA_CA_CERTS");
	leave();
}

static void
public_roots_are_no_organisations(void)
{
	shed_open(&shed);
	shed_put(&shed, "system/usr/share/ca-certificates/mozilla/A.crt", shed.pem);
	shed_put(&shed, "system/etc/ssl/certs/ca-certificates.crt", shed.pem);
	enter();
	ca_find_all(&list, &home, &bundle, false);
	CHECK_INT(list.n, 0);
	leave();
}

static void
a_fingerprint_picks_one_and_only_one(void)
{
	struct err err = {0};
	char hex[2 * CERT_HASH + 1];
	struct text t = text_to(hex, sizeof hex);

	shed_open(&shed);
	enter();
	CHECK_OK(ca_list_add_file(
			 &list, &home, shed_path(&shed, "corp.pem"), "you", &err),
		&err);
	text_put_hex(&t, span_of(list.all[0].cert->sha256, CERT_HASH), true);
	CHECK(ca_list_pick(&list, hex) == &list.all[0]);
	hex[8] = 0;
	CHECK(ca_list_pick(&list, hex) == &list.all[0]);
	hex[7] = 0;
	CHECK(!ca_list_pick(&list, hex));
	CHECK(!ca_list_pick(&list, "0000000000"));
	CHECK(!ca_list_pick(&list, ""));
	CHECK(!ca_list_add_file(&list, &home, shed_path(&shed, "gone"), "you", &err));
	leave();
}

static void
a_key_in_the_same_file_is_grave_and_a_sound_ca_is_not(void)
{
	struct ca_fault faults[CA_FAULTS];
	struct err err = {0};

	shed_open(&shed);
	char *both = mem_alloc(20 * 1024);
	text_format(both, 20 * 1024,
		"%s-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		shed.pem);
	shed_put(&shed, "both.pem", both);
	mem_free(both);
	enter();
	CHECK_OK(ca_list_add_file(
			 &list, &home, shed_path(&shed, "both.pem"), "you", &err),
		&err);
	size_t n = ca_check(&list.all[0], 1800000000, faults);
	CHECK(n == 1 && faults[0].grave && strstr(faults[0].text, "private key"));
	list.all[0].key_beside = false;
	CHECK_INT(ca_check(&list.all[0], list.all[0].cert->not_before + 1, faults), 0);
	n = ca_check(&list.all[0], list.all[0].cert->not_after + 1, faults);
	CHECK(n >= 1 && faults[0].grave && strstr(faults[0].text, "expired"));
	n = ca_check(&list.all[0], list.all[0].cert->not_before - 1, faults);
	CHECK(n >= 1 && strstr(faults[0].text, "not valid yet"));
	leave();
}

TESTS(what_administrators_and_settings_name_is_found_once, a_setting_alone_leads_to_it,
	public_roots_are_no_organisations, a_fingerprint_picks_one_and_only_one,
	a_key_in_the_same_file_is_grave_and_a_sound_ca_is_not)
