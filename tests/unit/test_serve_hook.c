/* SPDX-License-Identifier: MIT */
/* Hooks: signatures by published examples and by OpenSSL, secrets, key files, and what --hook takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hook/hooks.h"
#include "hook/key_file.h"
#include "hook/signature.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) ((struct sse_text){literal, sizeof(literal) - 1})
#define NOW 1614265330

/* The example of GitHub's documentation. */
#define GITHUB_SECRET "It's a Secret to Everybody"
#define GITHUB_BODY "Hello, World!"
#define GITHUB_HEX "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

/* The example of the libraries of Standard Webhooks. */
#define STANDARD_SECRET "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define STANDARD_ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define STANDARD_BODY "{\"test\": 2432232314}"
#define STANDARD_TEXT "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

/* --- signatures ------------------------------------------------------------------------------- */

/* Are these headers accepted, at NOW, for this body and secret? */
static bool accepts(enum signature_scheme scheme, const char *header, const char *id,
	const char *time, struct sse_text secret, struct sse_text body)
{
	const struct signature_headers headers = {header, id, time};
	struct signature signature;
	struct buf key;
	bool accepted;

	buf_init(&key, 100);
	assert_null(signature_add_key(scheme, secret, &key));
	accepted = signature_read(scheme, &headers, NOW, &signature) == NULL &&
		   signature_is_by(&signature, (struct sse_text){key.data, key.len}, body);
	buf_free(&key);
	return accepted;
}

static bool github(const char *header)
{
	return accepts(
		SIGNATURE_GITHUB, header, "id", NULL, TEXT(GITHUB_SECRET), TEXT(GITHUB_BODY));
}

static void github_example(void **state)
{
	static const char *const wrong[] = {"sha256=" GITHUB_HEX "0", "sha256= " GITHUB_HEX,
		"sha256=" GITHUB_HEX " ", "sha256=" GITHUB_HEX ",sha256=" GITHUB_HEX,
		"SHA256=" GITHUB_HEX, "sha1=" GITHUB_HEX, GITHUB_HEX, "sha256=", "sha256", "", "=",
		"sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17", NULL};
	char text[] = "sha256=" GITHUB_HEX;

	(void)state;
	assert_true(github("sha256=" GITHUB_HEX));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(github(wrong[i]));
	for (size_t len = strlen(text); len > 0; len--) {
		text[len - 1] ^= 1;
		assert_false(github(text));
		text[len - 1] = '\0';
		assert_false(github(text));
	}
	assert_false(accepts(SIGNATURE_GITHUB, "sha256=" GITHUB_HEX, NULL, NULL,
		TEXT(GITHUB_SECRET), TEXT("Hello, World")));
	assert_false(accepts(SIGNATURE_GITHUB, "sha256=" GITHUB_HEX, NULL, NULL,
		TEXT("It's a secret to everybody"), TEXT(GITHUB_BODY)));
}

static bool standard(const char *header, const char *id, const char *time)
{
	return accepts(
		SIGNATURE_STANDARD, header, id, time, TEXT(STANDARD_SECRET), TEXT(STANDARD_BODY));
}

static void standard_example(void **state)
{
	static const char *const right[] = {"v1," STANDARD_TEXT, "v1,bm9wZQ== v1," STANDARD_TEXT,
		"v1," STANDARD_TEXT " v1,", "v1a," STANDARD_TEXT "  v1," STANDARD_TEXT};
	static const char *const wrong[] = {STANDARD_TEXT, "v1a," STANDARD_TEXT,
		"v1=" STANDARD_TEXT, "V1," STANDARD_TEXT, "v1," STANDARD_TEXT "=",
		"v1," STANDARD_TEXT ",v1," STANDARD_TEXT, "v1,", "v1", " ", "", NULL,
		"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE",
		"v1,g0hM9SsE-OTPJTGt_tmIKtSyZlE3uFJELVlNIOLJ1OE=",
		"v1,G0HM9SSE+OTPJTGT/TMIKTSYZLE3UFJELVLNIOLJ1OE="};

	(void)state;
	for (size_t i = 0; i < COUNT(right); i++)
		assert_true(standard(right[i], STANDARD_ID, "1614265330"));
	for (size_t i = 0; i < COUNT(wrong); i++)
		assert_false(standard(wrong[i], STANDARD_ID, "1614265330"));
	assert_false(standard(right[0], STANDARD_ID "x", "1614265330"));
	assert_false(standard(right[0], STANDARD_ID, "1614265331"));
	assert_false(standard(right[0], STANDARD_ID, "01614265330"));
	assert_false(standard(right[0], NULL, "1614265330"));
	assert_false(standard(right[0], STANDARD_ID, NULL));
	/* The same text is signed, cut at another point. */
	assert_false(accepts(SIGNATURE_STANDARD, right[0], STANDARD_ID ".1614265330", "1614265330",
		TEXT(STANDARD_SECRET), TEXT(STANDARD_BODY)));
}

/* Stripe publishes no example: by OpenSSL's function for the whole text at once. */
static void stripe_header(const char *time, const char *secret, const char *body, char header[200])
{
	unsigned char mac[32];
	char text[200];
	int len = snprintf(text, sizeof(text), "%s.%s", time, body);

	HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, (size_t)len,
		mac, NULL);
	len = snprintf(header, 200, "t=%s,v1=", time);
	for (int i = 0; i < 32; i++)
		len += snprintf(header + len, (size_t)(200 - len), "%02x", mac[i]);
}

static bool stripe(const char *header)
{
	return accepts(SIGNATURE_STRIPE, header, NULL, NULL, TEXT("whsec_test_secret"), TEXT("{}"));
}

static void stripe_times(void **state)
{
	static const struct {
		const char *time;
		bool right;
	} rows[] = {{"1614265330", true}, {"1614265030", true}, {"1614265029", false},
		{"1614265630", true}, {"1614265631", false}, {"0", false}, {"", false},
		{"-1614265330", false}, {"1614265330.0", false}, {" 1614265330", false},
		{"1614265330000", false}, {"16142653300000000000000", false}, {"now", false},
		{"0x6037b9b2", false}};
	char header[200];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		stripe_header(rows[i].time, "whsec_test_secret", "{}", header);
		assert_int_equal(stripe(header), rows[i].right);
	}
}

static void stripe_headers(void **state)
{
	static const struct {
		const char *format; /* of the signature */
		bool right;
	} rows[] = {{"t=1614265330,v1=%s", true}, {"v1=%s,t=1614265330", true},
		{"t=1614265330,v1=00,v1=%s,v0=11", true}, {"t=1614265330,v1=%s,v1=", true},
		{",,t=1614265330,,v1=%s,", true}, {"t=1614265330,v0=%s", false},
		{"t=1614265330,V1=%s", false}, {"T=1614265330,v1=%s", false}, {"v1=%s", false},
		{"t=1614265330,t=1614265330,v1=%s", false}, {"t=1614265330, v1=%s", false},
		{"t=1614265330 v1=%s", false}, {"t=1614265330", false},
		{"t=1614265331,v1=%s", false}, {"t=1614265330,v1=%s0", false}, {"", false},
		{",", false}};
	char header[200], text[300];

	(void)state;
	stripe_header("1614265330", "whsec_test_secret", "{}", header);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *hole = strstr(rows[i].format, "%s");

		snprintf(text, sizeof(text), "%.*s%s%s",
			hole != NULL ? (int)(hole - rows[i].format) : 200, rows[i].format,
			hole != NULL ? header + strlen("t=1614265330,v1=") : "",
			hole != NULL ? hole + 2 : "");
		assert_int_equal(stripe(text), rows[i].right);
	}
	assert_false(stripe(NULL));
}

static void no_more_signatures_than_the_limit(void **state)
{
	char header[200], text[400] = "";
	size_t len = 0;

	(void)state;
	stripe_header("1614265330", "whsec_test_secret", "{}", header);
	for (size_t i = 0; i < SIGNATURES_MAX - 1; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "v1=%zu,", i);
	snprintf(text + len, sizeof(text) - len, "%s", header);
	assert_true(stripe(text));
	snprintf(text + len, sizeof(text) - len, "v1=x,%s", header);
	assert_false(stripe(text));
}

static void an_empty_body_is_signed_too(void **state)
{
	char header[200];

	(void)state;
	stripe_header("1614265330", "s", "", header);
	assert_true(accepts(
		SIGNATURE_STRIPE, header, NULL, NULL, TEXT("s"), (struct sse_text){NULL, 0}));
}

static void each_secret_has_its_form(void **state)
{
	static const struct {
		enum signature_scheme scheme;
		const char *secret, *key; /* NULL: refused */
	} rows[] = {{SIGNATURE_GITHUB, " it's # ", " it's # "},
		{SIGNATURE_GITHUB, "\xc3\xa4", "\xc3\xa4"}, {SIGNATURE_GITHUB, "secret\r", NULL},
		{SIGNATURE_GITHUB, "\x7f", NULL}, {SIGNATURE_STRIPE, "whsec_x", "whsec_x"},
		{SIGNATURE_STRIPE, "a\tb", NULL}, {SIGNATURE_STANDARD, "whsec_aGVsbG8=", "hello"},
		{SIGNATURE_STANDARD, "whsec_aGVsbG8h", "hello!"},
		{SIGNATURE_STANDARD, "whsec_/+8=", "\xff\xef"},
		{SIGNATURE_STANDARD, "aGVsbG8=", NULL}, {SIGNATURE_STANDARD, "whsec_", NULL},
		{SIGNATURE_STANDARD, "whsec_aGVsbG8", NULL},
		{SIGNATURE_STANDARD, "whsec_aGVsbG9=", NULL},
		{SIGNATURE_STANDARD, "whsec_====", NULL},
		{SIGNATURE_STANDARD, "whsec_aGVsb=8=", NULL},
		{SIGNATURE_STANDARD, "whsec__-8=", NULL},
		{SIGNATURE_STANDARD, "whsec_aGVsbG8= ", NULL},
		{SIGNATURE_STANDARD, "whpk_aGVsbG8=", NULL}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct buf key;

		buf_init(&key, 100);
		if (signature_add_key(rows[i].scheme,
			    (struct sse_text){rows[i].secret, strlen(rows[i].secret)},
			    &key) != NULL) {
			assert_null(rows[i].key);
			assert_int_equal(key.len, 0);
		} else {
			assert_non_null(rows[i].key);
			assert_true(buf_is(&key, rows[i].key, strlen(rows[i].key)));
		}
		buf_free(&key);
	}
}

/* --- key files -------------------------------------------------------------------------------- */

static char folder[] = "/tmp/sse_hook_XXXXXX";
static char path[sizeof(folder) + 16];

static int set_up(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/key", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void write_keys(const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void a_secret_on_each_line(void **state)
{
	struct error error = {0};
	struct key_file keys;

	(void)state;
	write_keys("one\n\n two \nthree");
	assert_int_equal(key_file_read(path, SIGNATURE_GITHUB, &keys, &error), 0);
	assert_int_equal(keys.count, 3);
	assert_int_equal(keys.keys[1].len, 5);
	assert_memory_equal(keys.keys[1].data, " two ", 5);
	assert_memory_equal(keys.keys[2].data, "three", 5);
	key_file_wipe(&keys);
	assert_int_equal(keys.count, 0);
	assert_null(keys.bytes.data);
}

static void faulty_key_files(void **state)
{
	static const struct {
		const char *text, *fault;
		enum signature_scheme scheme;
	} rows[] = {{"", "it has no secret", SIGNATURE_GITHUB},
		{"\n\n", "it has no secret", SIGNATURE_STRIPE},
		{"a\nsecret\r\n", "line 2: the secret contains a control character",
			SIGNATURE_GITHUB},
		{"whsec_aGVsbG8=\nsecret\n", "line 2: the secret is not whsec_",
			SIGNATURE_STANDARD},
		{"1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n\n17\n",
			"line 18: there are more than 16", SIGNATURE_GITHUB}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0};
		struct key_file keys;

		write_keys(rows[i].text);
		assert_int_equal(key_file_read(path, rows[i].scheme, &keys, &error), -1);
		assert_int_equal(error.status, EX_DATAERR);
		assert_non_null(strstr(error.text, rows[i].fault));
		assert_non_null(strstr(error.text, path));
		assert_null(strstr(error.text, "cret\r"));
		assert_null(keys.bytes.data);
	}
}

/* --- --hook ----------------------------------------------------------------------------------- */

static int parse(
	const char *value, const char *second, struct hook_rules *rules, struct error *error)
{
	const char *values[] = {value, second};
	struct option_list list = {.values = values, .count = second != NULL ? 2 : 1};

	return hook_rules_parse(&list, rules, error);
}

static void what_the_option_takes(void **state)
{
	struct error error = {0};
	struct hook_rules rules;
	const struct hook_rule *rule;

	(void)state;
	assert_int_equal(parse("github=gh/acme:/a:b=c", "github/shop_2=x:f", &rules, &error), 0);
	rule = hook_rules_find(&rules, "github");
	assert_string_equal(rule->topic, "gh/acme");
	assert_string_equal(rule->file, "/a:b=c");
	assert_string_equal(rule->kind->name, "github");
	rule = hook_rules_find(&rules, "github/shop_2");
	assert_string_equal(rule->topic, "x");
	assert_int_equal(rule->kind->scheme, SIGNATURE_GITHUB);
	assert_null(hook_rules_find(&rules, "github/"));
	assert_null(hook_rules_find(&rules, "GitHub"));
	assert_null(hook_rules_find(&rules, ""));
	hook_rules_free(&rules);
	assert_null(hook_rules_find(&rules, "github"));
}

static void what_the_option_refuses(void **state)
{
	static const struct {
		const char *value, *fault;
	} rows[] = {{"github", "there is no ="}, {"github:x", "there is no ="},
		{"github=x", "there is no :FILE"}, {"github=x:", "the name of the file is missing"},
		{"=x:f", "not a kind"}, {"gitlab=x:f", "not a kind"}, {"GitHub=x:f", "not a kind"},
		{"github/=x:f", "the word"}, {"github/a/b=x:f", "the word"},
		{"github/..=x:f", "the word"}, {"github/a b=x:f", "the word"},
		{"github=:f", "cannot be empty"}, {"github=a//b:f", "empty segment"},
		{"github=a/*:f", "U+002A"}, {"github=$sys:f", "U+0024"}, {"github=event:f", "'event'"},
		{"github=session:f", "'session'"}};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct error error = {0};
		struct hook_rules rules;

		assert_int_equal(parse(rows[i].value, NULL, &rules, &error), -1);
		hook_rules_free(&rules);
		assert_int_equal(error.status, EX_USAGE);
		assert_non_null(strstr(error.text, rows[i].fault));
		assert_non_null(strstr(error.text, "KIND=TOPIC:FILE"));
	}
}

static void names_are_there_once(void **state)
{
	struct error error = {0};
	struct hook_rules rules;

	(void)state;
	assert_int_equal(parse("stripe=x:f", "stripe=y:g", &rules, &error), -1);
	assert_non_null(strstr(error.text, "another hook has this name"));
	hook_rules_free(&rules);
	assert_int_equal(parse("stripe=x:f", "standard=x:f", &rules, &error), 0);
	hook_rules_free(&rules);
}

/* --- keys in use ------------------------------------------------------------------------------ */

static bool verifies(struct hooks *hooks, const char *hex)
{
	const struct signature_headers headers = {.signature = hex};
	struct signature signature;

	assert_null(signature_read(SIGNATURE_GITHUB, &headers, NOW, &signature));
	return hooks_verify(hooks, hooks_find(hooks, "github"), &signature, TEXT(GITHUB_BODY));
}

static void keys_are_replaced(void **state)
{
	char value[sizeof(path) + 16];
	struct error error = {0};
	struct hook_rules rules;
	struct hook_keys *keys;
	struct hooks *hooks;

	(void)state;
	snprintf(value, sizeof(value), "github=x:%s", path);
	assert_int_equal(parse(value, NULL, &rules, &error), 0);
	write_keys("");
	assert_null(hooks_new(&rules, &error));
	write_keys("old\n" GITHUB_SECRET "\n");
	hooks = hooks_new(&rules, &error);
	assert_non_null(hooks);
	assert_true(verifies(hooks, "sha256=" GITHUB_HEX));
	write_keys("new\n");
	keys = hooks_read_keys(hooks, &error);
	assert_non_null(keys);
	assert_true(verifies(hooks, "sha256=" GITHUB_HEX));
	hooks_use_keys(hooks, keys);
	assert_false(verifies(hooks, "sha256=" GITHUB_HEX));
	write_keys(GITHUB_SECRET);
	hooks_drop_keys(hooks_read_keys(hooks, &error));
	assert_false(verifies(hooks, "sha256=" GITHUB_HEX));
	write_keys("\r\n");
	assert_null(hooks_read_keys(hooks, &error));
	hooks_drop_keys(NULL);
	hooks_free(hooks);
	hooks_free(NULL);
	assert_null(hooks_find(NULL, "github"));
	hook_rules_free(&rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(github_example),
		cmocka_unit_test(standard_example),
		cmocka_unit_test(stripe_times),
		cmocka_unit_test(stripe_headers),
		cmocka_unit_test(no_more_signatures_than_the_limit),
		cmocka_unit_test(an_empty_body_is_signed_too),
		cmocka_unit_test(each_secret_has_its_form),
		cmocka_unit_test(a_secret_on_each_line),
		cmocka_unit_test(faulty_key_files),
		cmocka_unit_test(what_the_option_takes),
		cmocka_unit_test(what_the_option_refuses),
		cmocka_unit_test(names_are_there_once),
		cmocka_unit_test(keys_are_replaced),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
