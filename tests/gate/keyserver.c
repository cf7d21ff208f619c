// SPDX-License-Identifier: Apache-2.0
#include "gate/keyserver.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "gate/settings.h"
#include "pki/key.h"
#include "pki/tunnel.h"
#include "tests/test.h"

static char dir[64];
static struct conf_report report;
static struct settings settings;

static const char *
file_in(const char *name)
{
	static char path[128];

	text_format(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void
a_tunnel_is_made(void)
{
	static const char *const names[] = {"keys.test"};
	struct err err = {0};

	text_format(dir, sizeof(dir), "/tmp/sekisho-test-XXXXXX");
	CHECK(mkdtemp(dir) != NULL);
	CHECK_OK(tunnel_make(dir, &err), &err);
	CHECK_OK(tunnel_issue(dir,
			 &(struct tunnel_wish){.file = "server",
				 .end = TUNNEL_SERVER,
				 .names = names,
				 .n_names = 1},
			 &err),
		&err);
}

static bool
parse(const char *lines, const char *listen)
{
	static char text[4096];

	text_format(text, sizeof(text),
		"listen 127.0.0.1:2407 as keyserver use %s\n"
		"keyserver k {\nkeys %s\ncertificate %s/server.crt\nkey %s/server.key\n"
		"authority %s/ca.crt\n%s\n}\n",
		listen, dir, dir, dir, dir, lines);
	conf_report_init(&report);
	return settings_parse(&settings, "test", span_str(text), &report);
}

static const struct keyserver_client *
first_client(void)
{
	const struct keyserver_settings *k = keyserver_find(&settings, SPAN("k"));

	CHECK(k && k->id && k->trust);
	return (const struct keyserver_client *)(const void *)k->clients;
}

static void
without_clients_everybody_may_the_usual(void)
{
	CHECK(parse("", "k"));
	CHECK(!first_client());
	CHECK(!keyserver_find(&settings, SPAN("other")));
	settings_fini(&settings);
}

static void
a_client_gets_what_its_row_says_and_nothing_of_the_vaults(void)
{
	CHECK(parse("client edge1 {\n"
		    "keys 82ba7a31bf98458eb1d06711f5f95c6e56b77e41 "
		    "05886dc8c095dbbe632eb9ea74fe61ca125a2dcd\n"
		    "operations ecdsa-sha256\nnames a.example .b.example\nrate 7\n}",
		"k"));
	const struct keyserver_client *c = first_client();
	CHECK_INT(c->skis[0], 0x05); /* sorted */
	CHECK(wire_mask_has(&c->mask, WIRE_ECDSA_SHA256) &&
		wire_mask_has(&c->mask, WIRE_PING));
	CHECK(!wire_mask_has(&c->mask, WIRE_PSS_SHA256));
	CHECK_STR(c->allowed[1], ".b.example");
	CHECK_INT(c->per_second, 7);
	settings_fini(&settings);

	CHECK(parse("rsa-decrypt on\nclient edge1", "k"));
	c = first_client();
	CHECK(wire_mask_has(&c->mask, WIRE_RSA_DECRYPT));
	CHECK(!wire_mask_has(&c->mask, WIRE_RSA_SHA1));
	settings_fini(&settings);
}

static void
what_cannot_be_meant_is_complained_about(void)
{
	static const char *const wrong[] = {
		"client edge1 { operations mint }", /* the vault's own */
		"client edge1 { operations sign }",
		"client edge1 { keys 82ba }",
		"crl /nonexistent",
		"token pkcs11:object=of-no-token",
		"token \"pkcs11:token=t;odd=1\"",
		"certificat x",
	};

	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		CHECK(!parse(wrong[i], "k"));
		settings_fini(&settings);
	}
	CHECK(!parse("", "nobody")); /* a listener without its key server */
	settings_fini(&settings);
}

static void
the_vault_loads_its_keys(void)
{
	struct keys keys;
	struct err err = {0};
	EVP_PKEY *key = key_new(KEY_P256, &err);

	CHECK_OK(key_save(file_in("site.key"), key, (struct span){0}, &err), &err);
	EVP_PKEY_free(key);
	CHECK(parse("", "k"));
	keys_init(&keys);
	CHECK_OK(keyserver_load_keys(keyserver_find(&settings, SPAN("k")), &keys, &err),
		&err);
	CHECK_INT(keys.n, 3); /* and those of the tunnel, which lie there too */
	/* Names stand for keys that are there, in any case of letters. */
	char hex[2 * WIRE_SKI + 1];
	char row[200];
	struct text t = text_to(hex, sizeof(hex));
	struct keys_entry *e =
		CONTAINER_OF(list_first(&keys.all), struct keys_entry, all);
	text_put_hex(&t, span_of(e->ski, WIRE_SKI), false);
	settings_fini(&settings);
	text_format(row, sizeof(row), "name Shop.Example key %s\nname 192.0.2.7 key %s",
		hex, hex);
	CHECK(parse(row, "k"));
	const struct keyserver_settings *k = keyserver_find(&settings, SPAN("k"));
	CHECK_OK(keyserver_load_names(k, &keys, &err), &err);
	CHECK(keys_find(&keys, &(struct wire_msg){.name = SPAN("SHOP.example")}) == e);
	CHECK(keys_find(&keys, &(struct wire_msg){.server_ip = ip_v4(0xc0000207)}) ==
		e);
	CHECK(!keys_find(&keys, &(struct wire_msg){.name = SPAN("other.example")}));
	CHECK(!keyserver_load_names(k, &keys, &err)); /* twice */
	keys_fini(&keys);
	settings_fini(&settings);
}

static void
the_tunnel_is_removed(void)
{
	static const char *const files[] = {
		"ca.crt", "ca.key", "server.crt", "server.key", "site.key"};

	for (size_t i = 0; i < COUNT_OF(files); i++)
		CHECK(unlink(file_in(files[i])) == 0);
	CHECK(rmdir(dir) == 0);
}

TESTS(a_tunnel_is_made, without_clients_everybody_may_the_usual,
	a_client_gets_what_its_row_says_and_nothing_of_the_vaults,
	what_cannot_be_meant_is_complained_about, the_vault_loads_its_keys,
	the_tunnel_is_removed)
