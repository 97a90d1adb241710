/* SPDX-License-Identifier: MIT */
/* Tests of access/proofs.c and principal.c: what is kept, for how long, and who goes first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "access/proofs.h"

#define EVICTED "others took its place"

static struct principal *new_principal(int64_t expires, struct principal *parent)
{
	struct grants none = {0};
	struct principal *principal = principal_new("ann", "Ann", &none, expires, parent);

	assert_non_null(principal);
	return principal;
}

static void digest_of(unsigned number, unsigned char digest[TOKEN_DIGEST])
{
	memset(digest, 0, TOKEN_DIGEST);
	memcpy(digest + 7, &number, sizeof(number));
}

/* Add a proof of a principal of its own, which is returned as the caller's. */
static struct principal *add(
	struct proofs *proofs, unsigned number, const void *owner, int64_t expires, int64_t now)
{
	struct proof proof = {.owner = owner,
		.expires = expires,
		.principal = new_principal(PRINCIPAL_FOREVER, NULL)};

	digest_of(number, proof.digest);
	assert_int_equal(proofs_add(proofs, &proof, now), 0);
	return proof.principal;
}

static struct proof *find(struct proofs *proofs, unsigned number, int64_t now)
{
	unsigned char digest[TOKEN_DIGEST];

	digest_of(number, digest);
	return proofs_find(proofs, digest, now);
}

static void a_proof_is_found_until_it_expires(void **state)
{
	struct proofs proofs;
	struct principal *principal;

	(void)state;
	proofs_init(&proofs, 10, 0, NULL);
	principal = add(&proofs, 1, NULL, 1000, 0);
	assert_null(find(&proofs, 2, 0));
	assert_ptr_equal(find(&proofs, 1, 999)->principal, principal);
	assert_null(find(&proofs, 1, 1000));
	assert_int_equal(proofs.count, 0);
	/* It is gone, whatever the clock says then. */
	assert_null(find(&proofs, 1, 0));
	assert_int_equal(principal->references, 1);
	principal_drop(principal);
	proofs_free(&proofs);
}

static void a_proof_is_of_no_use_after_its_principal(void **state)
{
	struct proofs proofs;
	struct principal *principal;

	(void)state;
	proofs_init(&proofs, 10, 0, NULL);
	principal = add(&proofs, 1, NULL, 1000, 0);
	principal_end(principal, "it was enough");
	assert_null(find(&proofs, 1, 0));
	assert_int_equal(proofs.count, 0);
	principal_drop(principal);
	proofs_free(&proofs);
}

static void the_table_keeps_a_copy(void **state)
{
	char binding[] = "here";
	struct proof proof = {.expires = 1, .binding = binding};
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 10, 0, NULL);
	proof.principal = new_principal(PRINCIPAL_FOREVER, NULL);
	digest_of(1, proof.digest);
	assert_int_equal(proofs_add(&proofs, &proof, 0), 0);
	principal_drop(proof.principal);
	memset(&proof, 0xff, sizeof(proof));
	binding[0] = 'x';
	assert_string_equal(find(&proofs, 1, 0)->binding, "here");
	assert_string_equal(find(&proofs, 1, 0)->principal->name, "ann");
	proofs_free(&proofs);
	assert_null(find(&proofs, 1, 0));
}

static void the_oldest_goes_when_there_is_no_room(void **state)
{
	struct principal *principals[5];
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 3, 0, EVICTED);
	for (unsigned i = 0; i < 5; i++)
		principals[i] = add(&proofs, i, NULL, 1000, 0);
	assert_int_equal(proofs.count, 3);
	assert_int_equal(proofs.ended, 2);
	for (unsigned i = 0; i < 5; i++) {
		assert_true((find(&proofs, i, 0) != NULL) == (i >= 2));
		if (i < 2)
			assert_string_equal(principal_over(principals[i], 0), EVICTED);
		else
			assert_null(principal_over(principals[i], 0));
		principal_drop(principals[i]);
	}
	proofs_free(&proofs);
}

static void what_is_no_longer_valid_goes_first(void **state)
{
	struct principal *principals[4];
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 3, 0, EVICTED);
	principals[0] = add(&proofs, 0, NULL, 1000, 0);
	principals[1] = add(&proofs, 1, NULL, 500, 0);
	principals[2] = add(&proofs, 2, NULL, 1000, 0);
	principals[3] = add(&proofs, 3, NULL, 1000, 500);
	assert_int_equal(proofs.count, 3);
	assert_int_equal(proofs.ended, 0);
	assert_non_null(find(&proofs, 0, 500));
	assert_null(find(&proofs, 1, 0));
	assert_non_null(find(&proofs, 2, 500));
	assert_non_null(find(&proofs, 3, 500));
	for (unsigned i = 0; i < 4; i++) {
		assert_null(principal_over(principals[i], 0));
		principal_drop(principals[i]);
	}
	proofs_free(&proofs);
}

/* Of ten, each owner may have two. */
static void nobody_uses_up_what_is_there_for_all(void **state)
{
	static const char ann, bob;
	struct principal *principals[6];
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 10, 2, EVICTED);
	principals[0] = add(&proofs, 0, &bob, 1000, 0);
	principals[1] = add(&proofs, 1, &ann, 1000, 0);
	principals[2] = add(&proofs, 2, &bob, 1000, 0);
	principals[3] = add(&proofs, 3, &ann, 1000, 0);
	principals[4] = add(&proofs, 4, &ann, 1000, 0);
	principals[5] = add(&proofs, 5, &ann, 1000, 0);
	assert_int_equal(proofs.count, 4);
	for (unsigned i = 0; i < 6; i++) {
		bool gone = i == 1 || i == 3;

		assert_true((find(&proofs, i, 0) == NULL) == gone);
		assert_true((principal_over(principals[i], 0) != NULL) == gone);
		principal_drop(principals[i]);
	}
	proofs_free(&proofs);
}

static void without_a_reason_who_goes_does_not_end(void **state)
{
	struct principal *first, *second;
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 1, 0, NULL);
	first = add(&proofs, 1, NULL, 1000, 0);
	second = add(&proofs, 2, NULL, 1000, 0);
	assert_null(find(&proofs, 1, 0));
	assert_null(principal_over(first, 0));
	assert_int_equal(proofs.ended, 0);
	principal_drop(first);
	principal_drop(second);
	proofs_free(&proofs);
}

static void any_of_many_is_found_and_removed(void **state)
{
	struct proofs proofs;

	(void)state;
	proofs_init(&proofs, 1000, 0, NULL);
	for (unsigned i = 0; i < 1000; i++)
		principal_drop(add(&proofs, i * 7919, NULL, 1000, 0));
	for (unsigned i = 0; i < 1000; i += 2)
		proofs_remove(&proofs, find(&proofs, i * 7919, 0));
	assert_int_equal(proofs.count, 500);
	for (unsigned i = 0; i < 1000; i++)
		assert_true((find(&proofs, i * 7919, 0) != NULL) == (i % 2 == 1));
	proofs_free(&proofs);
	assert_int_equal(proofs.count, 0);
	assert_null(proofs.tree);
}

/* --- principals --- */

static void a_principal_ends_with_any_of_its_parents(void **state)
{
	struct principal *grandparent = new_principal(3000, NULL);
	struct principal *parent = new_principal(PRINCIPAL_FOREVER, grandparent);
	struct principal *principal = new_principal(5000, parent);

	(void)state;
	assert_true(principal_expires(principal) == 3000);
	assert_true(principal_expires(parent) == 3000);
	assert_null(principal_over(principal, 2999));
	assert_non_null(principal_over(principal, 3000));
	principal_end(parent, "over");
	assert_string_equal(principal_over(principal, 0), "over");
	assert_null(principal_over(grandparent, 0));
	/* They live as long as it does. */
	principal_drop(grandparent);
	principal_drop(parent);
	assert_string_equal(principal->parent->name, "ann");
	assert_true(principal_expires(principal) == 3000);
	principal_drop(principal);
}

static void by_itself_a_principal_ends_when_it_expires(void **state)
{
	struct principal *principal = new_principal(5000, NULL);
	struct principal *forever = new_principal(PRINCIPAL_FOREVER, principal);

	(void)state;
	assert_true(principal_expires(principal) == 5000);
	assert_null(principal_over(principal, 4999));
	assert_string_equal(
		principal_over(principal, 5000), "the token, or the session, has expired");
	assert_true(principal_expires(forever) == 5000);
	principal_drop(principal);
	principal_drop(forever);
	principal_drop(NULL);
	assert_null(principal_hold(NULL));
}

static void a_principal_ends_with_who_vouches_for_it(void **state)
{
	struct principal *authority = new_principal(PRINCIPAL_FOREVER, NULL);
	struct principal *rule = new_principal(PRINCIPAL_FOREVER, NULL);
	struct principal *principal = new_principal(5000, rule);
	struct principal *session = new_principal(4000, principal);

	(void)state;
	principal->authority = principal_hold(authority);
	principal->expired = "it is old";
	assert_null(principal_over(session, 3999));
	assert_string_equal(principal_over(principal, 5000), "it is old");
	principal_end(authority, "nobody vouches for it");
	assert_string_equal(principal_over(session, 0), "nobody vouches for it");
	assert_null(principal_over(rule, 0));
	assert_ptr_equal(principal_root(session), rule);
	assert_ptr_equal(principal_root(rule), rule);
	principal_drop(authority);
	principal_drop(rule);
	principal_drop(principal);
	/* The last that holds them all. */
	assert_non_null(principal_over(session, 0));
	principal_drop(session);
}

static void a_principal_takes_its_grants(void **state)
{
	struct grants grants = {.status = true};
	struct error error = {0};
	struct principal *principal;

	(void)state;
	assert_int_equal(grants_add(&grants, VERB_READ, "a", 1, &error), 0);
	principal = principal_new(NULL, NULL, &grants, PRINCIPAL_FOREVER, NULL);
	assert_int_equal(grants.counts[VERB_READ], 0);
	assert_false(grants.status);
	assert_true(grants_cover(&principal->grants, VERB_READ, "a"));
	assert_null(principal->name);
	assert_null(principal->as);
	principal_drop(principal);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proof_is_found_until_it_expires),
		cmocka_unit_test(a_proof_is_of_no_use_after_its_principal),
		cmocka_unit_test(the_table_keeps_a_copy),
		cmocka_unit_test(the_oldest_goes_when_there_is_no_room),
		cmocka_unit_test(what_is_no_longer_valid_goes_first),
		cmocka_unit_test(nobody_uses_up_what_is_there_for_all),
		cmocka_unit_test(without_a_reason_who_goes_does_not_end),
		cmocka_unit_test(any_of_many_is_found_and_removed),
		cmocka_unit_test(a_principal_ends_with_any_of_its_parents),
		cmocka_unit_test(by_itself_a_principal_ends_when_it_expires),
		cmocka_unit_test(a_principal_ends_with_who_vouches_for_it),
		cmocka_unit_test(a_principal_takes_its_grants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
