// SPDX-License-Identifier: Apache-2.0
#include "keyless/keys.h"

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/must.h"
#include "base/text.h"
#include "pki/signer.h"
#include "pki/token.h"

/* A file that could not be taken: said once, and tried again when it changes. */
struct keys_refused {
	struct map_item by_path;
	int64_t changed_ns;
	char path[]; /* C string */
};

/* A row of the operator's map. */
struct keys_name {
	struct map_item by_name;
	uint8_t ski[WIRE_SKI];
	char name[256];
};

void
keys_init(struct keys *k)
{
	*k = (struct keys){0};
	map_init(&k->by_ski);
	map_init(&k->by_digest);
	map_init(&k->by_id);
	map_init(&k->by_source);
	map_init(&k->refused);
	map_init(&k->by_name);
	list_init(&k->all);
}

static void
remove_entry(struct keys *k, struct keys_entry *e)
{
	map_remove(&k->by_ski, &e->by_ski);
	if (e->has_digest)
		map_remove(&k->by_digest, &e->by_digest);
	if (e->by_id.key.n > 0)
		map_remove(&k->by_id, &e->by_id);
	if (e->by_source.key.n > 0)
		map_remove(&k->by_source, &e->by_source);
	list_leave(&e->all);
	k->n--;
	signer_free(e->signer);
	token_free(e->token);
	key_free(e->key);
	mem_free(e->id);
	mem_free(e->source);
	mem_free(e);
}

static void
forget_refused(struct keys *k)
{
	struct map_item *it = map_next(&k->refused, NULL);

	while (it) {
		map_remove(&k->refused, it);
		mem_free(CONTAINER_OF(it, struct keys_refused, by_path));
		it = map_next(&k->refused, NULL);
	}
}

static void
forget_names(struct keys *k)
{
	struct map_item *it = map_next(&k->by_name, NULL);

	while (it) {
		map_remove(&k->by_name, it);
		mem_free(CONTAINER_OF(it, struct keys_name, by_name));
		it = map_next(&k->by_name, NULL);
	}
}

void
keys_fini(struct keys *k)
{
	LIST_EACH (it, &k->all)
		remove_entry(k, CONTAINER_OF(it, struct keys_entry, all));
	forget_names(k);
	forget_refused(k);
	map_fini(&k->refused);
	map_fini(&k->by_ski);
	map_fini(&k->by_digest);
	map_fini(&k->by_id);
	map_fini(&k->by_source);
	map_fini(&k->by_name);
	mem_free(k->dir);
	if (k->passphrase)
		secret_wipe(k->passphrase, strlen(k->passphrase));
	mem_free(k->passphrase);
	keys_init(k);
}

/* ---- adding ---- */

/* The legacy name: SHA-256 over upper-case hex of the modulus or the compressed point.
 */
static bool
read_digest(const struct key *key, uint8_t digest[WIRE_DIGEST])
{
	uint8_t number[1024]; /* RSA 8192 */
	char hex[2 * sizeof(number) + 1];
	struct text t = text_to(hex, sizeof(hex));
	size_t n = 0;
	uint8_t hash[SIGNER_DIGEST_MAX];

	if (!key_numbers(key, number, sizeof(number), &n))
		return false;
	text_put_hex(&t, span_of(number, n), true);
	must(signer_digest(KEY_SHA256, text_span(&t), hash) ==
		WIRE_DIGEST); /* by definition */
	memcpy(digest, hash, WIRE_DIGEST);
	return true;
}

static enum wire_key
type_of(const struct key *key)
{
	enum key_family family = key_family(key);

	if (family == KEY_FAMILY_RSA)
		return WIRE_KEY_RSA;
	/* signer_new() has refused all others. */
	return family == KEY_FAMILY_EC ? WIRE_KEY_EC : WIRE_KEY_ED25519;
}

/* A new entry in no table yet; takes the key over only when it returns one. */
static struct keys_entry *
make_entry(struct key *key, struct err *err)
{
	uint8_t ski[WIRE_SKI];
	struct signer *signer = signer_new(key, err);

	if (!signer)
		return NULL;
	if (!key_ski(key_pkey(key), ski, err)) {
		signer_free(signer);
		return NULL;
	}

	struct keys_entry *e = mem_alloc(sizeof(*e));

	e->key = key;
	e->signer = signer;
	e->type = (uint8_t)type_of(key);   /* a protocol octet */
	e->bits = (uint16_t)key_bits(key); /* at most 8192: signer_new() */
	memcpy(e->ski, ski, WIRE_SKI);
	e->has_digest = read_digest(key, e->digest);
	return e;
}

static struct keys_entry *
add_entry(struct keys *k, struct key *key, const char *id, const char *source,
	struct err *err)
{
	struct keys_entry *e = make_entry(key, err);

	if (!e) {
		key_free(key);
		return NULL;
	}
	if (map_get(&k->by_ski, span_of(e->ski, WIRE_SKI))) {
		err_set(err, ERR_KEYLESS_KEY, "the key is in the store already");
		signer_free(e->signer);
		key_free(key);
		mem_free(e);
		return NULL;
	}
	e->source = mem_cstr(span_str(source));
	map_add(&k->by_ski, &e->by_ski, span_of(e->ski, WIRE_SKI));
	if (e->has_digest)
		map_add(&k->by_digest, &e->by_digest, span_of(e->digest, WIRE_DIGEST));
	if (id && *id && !map_get(&k->by_id, span_str(id))) {
		e->id = mem_cstr(span_str(id));
		map_add(&k->by_id, &e->by_id, span_str(e->id));
	}
	if (!map_get(&k->by_source, span_str(e->source)))
		map_add(&k->by_source, &e->by_source, span_str(e->source));
	list_push(&k->all, &e->all);
	k->n++;
	return e;
}

bool
keys_add(struct keys *k, struct key *key, const char *id, const char *source,
	struct err *err)
{
	return add_entry(k, key, id, source, err) != NULL;
}

bool
keys_add_token(struct keys *k, struct token *token, struct err *err)
{
	EVP_PKEY *public = token_public(token);

	EVP_PKEY_up_ref(public);

	struct keys_entry *e = add_entry(k, key_wrap(public), NULL, "token", err);

	if (!e) {
		token_free(token);
		return false;
	}
	e->token = token;
	e->decrypt = k->decrypt && e->type == WIRE_KEY_RSA;
	return true;
}

/* ---- files ---- */

/* A change of octets, mode or owner, or another file renamed over it. */
static int64_t
changed_ns(const struct stat *st)
{
	return (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec +
		(int64_t)st->st_ino;
}

static void
refuse_file(struct keys *k, const char *path, const struct err *why)
{
	struct map_item *it = map_get(&k->refused, span_str(path));
	struct keys_refused *r = NULL;
	struct stat st;

	log_warn("keyless.keys", "file=%s error=%s text=\"%s\"", path,
		err_id(why->code), why->text);
	if (stat(path, &st) != 0)
		return;
	if (it) {
		r = CONTAINER_OF(it, struct keys_refused, by_path);
	} else {
		size_t n = strlen(path) + 1;

		r = mem_alloc(sizeof(*r) + n);
		memcpy(r->path, path, n);
		map_add(&k->refused, &r->by_path, span_str(r->path));
	}
	r->changed_ns = changed_ns(&st);
}

/* "shop.example" of ".../shop.example.pem". */
static void
read_id(const char *path, char *dst, size_t cap)
{
	struct span s = span_str(path);
	size_t slash = span_rchr(s, '/');
	struct span name = slash < s.n ? span_from(s, slash + 1) : s;

	if (!span_copy(dst, cap, span_first(name, span_rchr(name, '.'))))
		dst[0] = '\0';
}

static struct keys_entry *
load_file(struct keys *k, const char *path, struct err *err)
{
	struct stat st;
	char id[256];

	if (stat(path, &st) != 0) {
		err_set(err, ERR_FILE_READ, "%s is not there", path);
		return NULL;
	}
	struct key *key = key_open(path, span_str(k->passphrase), err);
	if (!key)
		return NULL;
	read_id(path, id, sizeof(id));
	struct keys_entry *e = add_entry(k, key, id, path, err);
	if (!e) {
		err_within(err, "%s", path);
		return NULL;
	}
	e->changed_ns = changed_ns(&st);
	e->decrypt = k->decrypt && e->type == WIRE_KEY_RSA;
	return e;
}

bool
keys_add_file(struct keys *k, const char *path, struct err *err)
{
	return load_file(k, path, err) != NULL;
}

/* A certificate beside its key is no key: only text with a private key counts. */
static bool
holds_private_key(const char *path)
{
	struct span text = {0};
	struct err err = {0};

	if (!file_read(path, KEY_FILE_MAX, &text, &err))
		return true; /* let the loading say why */
	bool found = span_find(text, SPAN("PRIVATE KEY")) < text.n;
	secret_wipe((void *)(uintptr_t)text.p, text.n);
	mem_free((void *)(uintptr_t)text.p);
	return found;
}

static bool
is_key_file(const char *dir, const char *name, char *path, size_t cap)
{
	struct span s = span_str(name);
	struct text t = text_to(path, cap);

	text_add(&t, "%s/%s", dir, name);
	if (t.cut || span_starts(s, SPAN(".")))
		return false;
	if (span_ends(s, SPAN(".key")))
		return true;
	return span_ends(s, SPAN(".pem")) && holds_private_key(path);
}

bool
keys_add_dir(struct keys *k, const char *dir, struct err *err)
{
	char path[1024];
	DIR *d = opendir(dir);
	bool ok = true;

	if (!d) {
		return err_set(
			err, ERR_FILE_READ, "the directory %s cannot be opened", dir);
	}
	must(!k->dir); /* one directory per store */
	for (struct dirent *f = readdir(d); ok && f; f = readdir(d)) {
		if (!is_key_file(dir, f->d_name, path, sizeof(path)) ||
			load_file(k, path, err))
			continue;
		/* The same key in two files is no reason not to start. */
		ok = err->code == ERR_KEYLESS_KEY;
		if (ok)
			refuse_file(k, path, err);
	}
	closedir(d);
	if (ok)
		k->dir = mem_cstr(span_str(dir));
	return ok;
}

void
keys_seal_dir(struct keys *k)
{
	mem_free(k->dir);
	if (k->passphrase)
		secret_wipe(k->passphrase, strlen(k->passphrase));
	mem_free(k->passphrase);
	k->dir = NULL;
	k->passphrase = NULL;
}

static struct keys_entry *
find_by_source(const struct keys *k, const char *path)
{
	struct map_item *it = map_get(&k->by_source, span_str(path));

	return it ? CONTAINER_OF(it, struct keys_entry, by_source) : NULL;
}

/* Puts the file's key in the place of `old`, which goes only if that works: the new key
 * is read and judged in a store of its own first. */
static size_t
reload_file(struct keys *k, struct keys_entry *old, const char *path)
{
	struct err err = {0};
	struct keys trial;

	keys_init(&trial);
	trial.passphrase = k->passphrase;
	bool ok = keys_add_file(&trial, path, &err);
	trial.passphrase = NULL;
	keys_fini(&trial);
	if (ok && old)
		remove_entry(k, old);
	if (ok && keys_add_file(k, path, &err))
		return 1;
	if (!ok && old)
		old->stale = false;
	refuse_file(k, path, &err);
	return ok && old ? 1 : 0;
}

/* A file nobody touched, whether it gave a key or not, need not be read. */
static bool
is_unchanged(const struct keys *k, const char *name, char *path, size_t cap)
{
	struct text t = text_to(path, cap);
	struct stat st;

	text_add(&t, "%s/%s", k->dir, name);
	if (t.cut || stat(path, &st) != 0)
		return false;
	struct keys_entry *e = find_by_source(k, path);
	struct map_item *it = map_get(&k->refused, span_str(path));
	bool refused = it &&
		CONTAINER_OF(it, struct keys_refused, by_path)->changed_ns ==
			changed_ns(&st);
	if (!refused && (!e || changed_ns(&st) != e->changed_ns))
		return false;
	if (e)
		e->stale = false;
	return true;
}

static size_t
drop_stale(struct keys *k)
{
	size_t n = 0;

	LIST_EACH (it, &k->all) {
		struct keys_entry *e = CONTAINER_OF(it, struct keys_entry, all);

		if (e->stale) {
			remove_entry(k, e);
			n++;
		}
	}
	return n;
}

static bool
is_below(const char *path, const char *dir)
{
	struct span s = span_str(path);
	struct span d = span_str(dir);

	return span_starts(s, d) && span_starts(span_from(s, d.n), SPAN("/"));
}

size_t
keys_reload(struct keys *k)
{
	char path[1024];
	size_t n = 0;
	DIR *d = k->dir ? opendir(k->dir) : NULL;

	if (!d)
		return 0;
	LIST_EACH (it, &k->all) {
		struct keys_entry *e = CONTAINER_OF(it, struct keys_entry, all);

		e->stale = is_below(e->source, k->dir);
	}
	for (struct dirent *f = readdir(d); f; f = readdir(d)) {
		if (is_unchanged(k, f->d_name, path, sizeof(path)))
			continue;
		if (is_key_file(k->dir, f->d_name, path, sizeof(path)))
			n += reload_file(k, find_by_source(k, path), path);
	}
	closedir(d);
	size_t dropped = drop_stale(k);
	if (dropped > 0)
		forget_refused(k); /* the other file of a key may be wanted now */
	return n + dropped;
}

/* ---- finding ---- */

bool
keys_name(struct keys *k, struct span name, struct span ski, struct err *err)
{
	struct keys_name *row = mem_alloc(sizeof(*row));

	if (ski.n != WIRE_SKI || !keys_by_ski(k, ski) || name.n == 0 ||
		!span_copy(row->name, sizeof(row->name), name) ||
		map_get(&k->by_name, name)) {
		mem_free(row);
		return err_set(err, ERR_KEYLESS_SETUP,
			"a server name is given twice, or to a key that is not there");
	}
	memcpy(row->ski, ski.p, WIRE_SKI);
	span_lower((uint8_t *)row->name, name); /* as long as it is */
	map_add(&k->by_name, &row->by_name, span_str(row->name));
	return true;
}

struct keys_entry *
keys_by_ski(const struct keys *k, struct span ski)
{
	struct map_item *it = map_get(&k->by_ski, ski);

	return it ? CONTAINER_OF(it, struct keys_entry, by_ski) : NULL;
}

static struct keys_entry *
find_by_name(const struct keys *k, struct span name)
{
	uint8_t lower[256];

	if (name.n == 0 || name.n > sizeof(lower))
		return NULL;
	span_lower(lower, name);
	struct map_item *it = map_get(&k->by_name, span_of(lower, name.n));
	if (!it)
		return NULL;
	struct keys_name *row = CONTAINER_OF(it, struct keys_name, by_name);
	return keys_by_ski(k, span_of(row->ski, WIRE_SKI));
}

struct keys_entry *
keys_find(const struct keys *k, const struct wire_msg *req)
{
	struct map_item *it = NULL;
	char address[IP_TEXT];

	if (req->ski.n > 0)
		return keys_by_ski(k, req->ski);
	if (req->digest.n > 0) {
		it = map_get(&k->by_digest, req->digest);
		return it ? CONTAINER_OF(it, struct keys_entry, by_digest) : NULL;
	}
	if (req->cert_id.n > 0) {
		it = map_get(&k->by_id, req->cert_id);
		return it ? CONTAINER_OF(it, struct keys_entry, by_id) : NULL;
	}
	struct keys_entry *e = find_by_name(k, req->name);
	if (e || req->server_ip.family == IP_NONE)
		return e;
	return find_by_name(k, span_str(ip_text(address, &req->server_ip)));
}

/* ---- performing ---- */

/* The low three bits of a signing opcode number the hash, from MD5+SHA1 = 2 on. */
static struct key_job
job_of(const struct wire_op_row *row, struct span payload)
{
	struct key_job job = {.input = payload};

	if (row->key == WIRE_KEY_ED25519)
		return job;
	job.hash = (enum key_hash)(KEY_MD5SHA1 + (row->op & 7) - 2);
	job.padding = row->op >= WIRE_PSS_SHA256 ? KEY_PSS : KEY_PKCS1;
	return job;
}

uint8_t
keys_op_for(const struct evp_pkey_st *key, const struct key_job *job)
{
	int low = (int)job->hash - KEY_MD5SHA1 + 2;
	int op = 0;

	switch (key_pkey_family(key)) {
	case KEY_FAMILY_ED25519:
		return job->hash == KEY_HASH_NONE ? WIRE_ED25519 : WIRE_NO_OP;
	case KEY_FAMILY_EC:
		op = WIRE_ECDSA_MD5SHA1 - 2 + low;
		break;
	case KEY_FAMILY_RSA:
		op = (job->padding == KEY_PSS ? 0x30 : 0) + low;
		break;
	case KEY_FAMILY_OTHER:
	case KEY_FAMILY_DSA:
		return WIRE_NO_OP;
	}
	if (job->hash == KEY_HASH_NONE || !wire_op_find((uint8_t)op))
		return WIRE_NO_OP;
	return (uint8_t)op; /* at most 0x37 */
}

static bool
decrypt(struct keys_entry *e, struct span payload, uint8_t *out, size_t *n,
	struct err *err)
{
	return e->token ? token_raw(e->token, payload, out, n, err)
			: signer_raw(e->signer, payload, out, n, err);
}

static bool
sign(struct keys_entry *e, const struct key_job *job, uint8_t *out, size_t *n,
	struct err *err)
{
	return e->token ? token_sign(e->token, job, out, n, err)
			: signer_sign(e->signer, job, out, n, err);
}

enum wire_error
keys_perform(
	struct keys_entry *e, uint8_t op, struct span payload, uint8_t *out, size_t *n)
{
	const struct wire_op_row *row = wire_op_find(op);
	struct err err = {0};

	if (!row || row->key == WIRE_KEY_NONE)
		return WIRE_BAD_OP;
	if (row->key != e->type || (row->payload > 0 && row->payload != payload.n))
		return WIRE_CRYPTO;
	e->uses++;
	struct key_job job = job_of(row, payload);
	bool ok = op == WIRE_RSA_DECRYPT
		? e->decrypt && decrypt(e, payload, out, n, &err)
		: sign(e, &job, out, n, &err);
	/* What is wrong with a file's key was found when it was read. */
	if (!ok && e->token)
		log_warn("keyless.token", "reason=\"%s\"", err.text);
	return ok ? WIRE_OK : WIRE_CRYPTO;
}

bool
keys_verify(
	struct evp_pkey_st *pub, uint8_t op, struct span payload, struct span signature)
{
	const struct wire_op_row *row = wire_op_find(op);

	if (!row || row->key == WIRE_KEY_NONE || op == WIRE_RSA_DECRYPT)
		return false;
	struct key_job job = job_of(row, payload);
	return signer_check(pub, &job, signature);
}
