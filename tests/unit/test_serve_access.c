/* SPDX-License-Identifier: MIT */
/*
 * Tests of cmd/sse-serve/access/access.c: whom a proof proves at a given time, and what ends when
 * the access file is read again.
 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include <cmocka.h>

#include "access/access.h"
#include "parts/scratch.h"

#define LIFETIME 60000

/* The tokens are their names. */
struct fixture {
	struct access_config config;
	struct access *access;
};

/* Write the file: in ${form} the first % stands for the digest of the token "ann", the next for "bob"'s. */
static void write_file(const char *form)
{
	static const char *const tokens[] = {"ann", "bob"};
	char hex[2][TOKEN_HEX + 1];
	unsigned char digest[TOKEN_DIGEST];
	FILE *file = fopen(scratch_path, "w");

	assert_non_null(file);
	for (int i = 0; i < 2; i++) {
		token_digest(tokens[i], 3, digest);
		token_hex(digest, hex[i]);
	}
	for (int i = 0; *form != '\0'; form++) {
		if (*form == '%')
			fprintf(file, "sha256:%s", hex[i++]);
		else
			fputc(*form, file);
	}
	fputc('\n', file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(scratch_path, 0600), 0);
}

static void set_up(struct fixture *f, const char *form)
{
	struct error error = {0};

	*f = (struct fixture){.config = {.file = scratch_path, .session_lifetime = LIFETIME}};
	write_file(form);
	f->access = access_new(&f->config, &error);
	if (f->access == NULL)
		fail_msg("%s", error.text);
}

static void reload(struct fixture *f, const char *form)
{
	uint64_t changes = atomic_load(access_changes(f->access));
	struct error error = {0};

	write_file(form);
	if (access_reload(f->access, &error) != 0)
		fail_msg("%s", error.text);
	assert_true(atomic_load(access_changes(f->access)) > changes);
}

/* Whose token it is; NULL with the reason. */
static struct principal *ask(struct fixture *f, const char *token, const char **fault)
{
	struct principal *principal = NULL;
	enum access_answer answer =
		access_of_token(f->access, token, strlen(token), 0, &principal, fault);

	assert_int_equal(answer, principal != NULL ? ACCESS_OK : ACCESS_REFUSED);
	return principal;
}

static struct principal *must_ask(struct fixture *f, const char *token)
{
	const char *fault;
	struct principal *principal = ask(f, token, &fault);

	assert_non_null(principal);
	return principal;
}

static struct principal *of_session(struct fixture *f, const char *secret, int64_t now)
{
	return access_of_session(f->access, secret, strlen(secret), now);
}

static struct principal *of_ticket(
	struct fixture *f, const char *secret, const char *binding, int64_t now)
{
	return access_of_ticket(f->access, secret, strlen(secret), binding, now);
}

/* --- tokens --- */

static void a_token_proves_whose_line_has_its_digest(void **state)
{
	const char *fault = NULL;
	struct principal *ann, *everyone;
	struct fixture f;

	(void)state;
	set_up(&f, "ann % read=a as=Ann\nanonymous read=news");
	ann = must_ask(&f, "ann");
	assert_string_equal(ann->name, "ann");
	assert_true(grants_cover(&ann->grants, VERB_READ, "news"));
	assert_null(ask(&f, "anna", &fault));
	assert_string_equal(fault, "the token is not known");
	/* What looks like a JWT is one only where there are keys. */
	assert_null(ask(&f, "an.n", &fault));
	assert_string_equal(fault, "the token is not known");
	assert_null(ask(&f, "", &fault));
	everyone = access_everyone(f.access);
	assert_null(everyone->name);
	assert_false(grants_cover(&everyone->grants, VERB_READ, "a"));
	assert_true(access_proves_name(f.access, "Ann"));
	assert_false(access_proves_name(f.access, "Bob"));
	access_free(f.access);
	/* They outlive it, as long as somebody holds them. */
	assert_string_equal(ann->as, "Ann");
	principal_drop(ann);
	principal_drop(everyone);
}

static void figures_can_be_for_everyone(void **state)
{
	struct principal *everyone;
	struct fixture f;
	struct error error = {0};

	(void)state;
	set_up(&f, "ann %");
	access_free(f.access);
	f.config.open_status = true;
	f.access = access_new(&f.config, &error);
	everyone = access_everyone(f.access);
	assert_true(grants_cover(&everyone->grants, VERB_STATUS, NULL));
	/* It is the same who may, so nobody ends. */
	reload(&f, "ann % ");
	assert_null(principal_over(everyone, 0));
	principal_drop(everyone);
	access_free(f.access);
}

/* --- the file --- */

static void a_faulty_file_starts_nothing(void **state)
{
	const struct access_config config = {.file = scratch_path},
				   absent = {.file = "/nonexistent"};
	struct error error = {0};
	char sentence[200];

	(void)state;
	write_file("# one\nann % rad=a\n");
	assert_null(access_new(&config, &error));
	assert_int_equal(error.status, EX_DATAERR);
	snprintf(sentence, sizeof(sentence), "--access %s: line 2: 'rad=a' is not", scratch_path);
	assert_memory_equal(error.text, sentence, strlen(sentence));
	write_file("ann %");
	assert_int_equal(chmod(scratch_path, 0620), 0);
	assert_null(access_new(&config, &error));
	assert_int_equal(error.status, EX_NOINPUT);
	assert_null(access_new(&absent, &error));
	assert_int_equal(error.status, EX_NOINPUT);
	snprintf(sentence, sizeof(sentence), "--access: cannot open /nonexistent: ");
	assert_memory_equal(error.text, sentence, strlen(sentence));
}

static void a_faulty_file_leaves_the_old_rules(void **state)
{
	static const char *const forms[] = {"ann % read=*", "ann % read=a\nbob", "\x01", "ann %%"};
	struct principal *ann, *again;
	struct error error = {0};
	struct fixture f;

	(void)state;
	set_up(&f, "ann % read=a");
	ann = must_ask(&f, "ann");
	for (size_t i = 1; i < sizeof(forms) / sizeof(forms[0]); i++) {
		write_file(forms[i]);
		assert_int_equal(access_reload(f.access, &error), -1);
		assert_int_equal(error.status, EX_DATAERR);
	}
	assert_int_equal(remove(scratch_path), 0);
	assert_int_equal(access_reload(f.access, &error), -1);
	again = must_ask(&f, "ann");
	assert_ptr_equal(again, ann);
	assert_null(principal_over(ann, 0));
	assert_true(atomic_load(access_changes(f.access)) == 0);
	/* The next one that is right counts. */
	reload(&f, forms[0]);
	assert_string_equal(principal_over(ann, 0), "what the token may do has changed");
	principal_drop(again);
	principal_drop(ann);
	access_free(f.access);
}

static void a_token_is_replaced_without_a_gap(void **state)
{
	struct principal *old, *new;
	const char *fault;
	struct fixture f;

	(void)state;
	set_up(&f, "ann % as=Ann");
	old = must_ask(&f, "ann");
	reload(&f, "ann % as=Ann\nann % as=Ann");
	assert_null(principal_over(old, 0));
	new = must_ask(&f, "bob");
	assert_string_equal(new->as, "Ann");
	reload(&f, "# %\nann % as=Ann");
	assert_string_equal(principal_over(old, 0), "the token was withdrawn");
	assert_null(principal_over(new, 0));
	assert_null(ask(&f, "ann", &fault));
	principal_drop(old);
	principal_drop(new);
	access_free(f.access);
}

/* --- sessions --- */

static void a_session_is_whose_token_began_it(void **state)
{
	struct principal *ann, *session, *found;
	struct fixture f;
	char secret[TOKEN_TEXT];

	(void)state;
	set_up(&f, "ann % read=a status as=*");
	ann = must_ask(&f, "ann");
	session = access_start_session(f.access, ann, 1000, secret);
	assert_ptr_equal(session->parent, ann);
	assert_string_equal(session->name, "ann");
	assert_true(session->any_name);
	assert_true(grants_equal(&session->grants, &ann->grants));
	assert_true(principal_expires(session) == 1000 + LIFETIME);
	found = of_session(&f, secret, 1000 + LIFETIME - 1);
	assert_ptr_equal(found, session);
	assert_null(of_session(&f, "sse_", 1000));
	assert_null(of_session(&f, "ann", 1000));
	/* It is nobody's token, and no ticket. */
	assert_null(of_ticket(&f, secret, "", 1000));
	assert_null(of_session(&f, secret, 1000 + LIFETIME));
	assert_non_null(principal_over(session, 1000 + LIFETIME));
	assert_null(principal_over(ann, 1000 + LIFETIME));
	principal_drop(found);
	principal_drop(session);
	principal_drop(ann);
	access_free(f.access);
}

static void a_session_that_is_ended_ends_its_streams(void **state)
{
	struct principal *ann, *session, *other;
	struct fixture f;
	char secret[TOKEN_TEXT], secret_of_other[TOKEN_TEXT];
	uint64_t changes;

	(void)state;
	set_up(&f, "ann %");
	ann = must_ask(&f, "ann");
	session = access_start_session(f.access, ann, 0, secret);
	other = access_start_session(f.access, ann, 0, secret_of_other);
	changes = atomic_load(access_changes(f.access));
	access_end_session(f.access, secret, strlen(secret));
	assert_true(atomic_load(access_changes(f.access)) == changes + 1);
	assert_string_equal(principal_over(session, 0), "the session was ended");
	assert_null(of_session(&f, secret, 0));
	assert_null(principal_over(other, 0));
	assert_null(principal_over(ann, 0));
	/* Nothing to look for. */
	access_end_session(f.access, secret, strlen(secret));
	access_end_session(f.access, "", 0);
	assert_true(atomic_load(access_changes(f.access)) == changes + 1);
	principal_drop(session);
	principal_drop(other);
	principal_drop(ann);
	access_free(f.access);
}

static void a_session_ends_with_the_line_of_its_token(void **state)
{
	struct principal *ann, *session, *found;
	struct fixture f;
	char secret[TOKEN_TEXT];

	(void)state;
	set_up(&f, "ann % read=a\n");
	ann = must_ask(&f, "ann");
	session = access_start_session(f.access, ann, 0, secret);
	principal_drop(ann);
	reload(&f, "# the same\nann % read=a\n");
	found = of_session(&f, secret, 0);
	assert_ptr_equal(found, session);
	reload(&f, "ann % read=b\n");
	assert_string_equal(principal_over(session, 0), "what the token may do has changed");
	assert_null(of_session(&f, secret, 0));
	principal_drop(found);
	principal_drop(session);
	access_free(f.access);
}

/* A hundred for each token: the oldest is ended, and whoever looks at streams is told. */
static void newer_sessions_of_a_token_take_the_place_of_the_oldest(void **state)
{
	struct principal *ann, *bob, *session, *oldest, *of_bob;
	struct fixture f;
	char first[TOKEN_TEXT], secret[TOKEN_TEXT];

	(void)state;
	set_up(&f, "ann %\nbob %");
	ann = must_ask(&f, "ann");
	bob = must_ask(&f, "bob");
	of_bob = access_start_session(f.access, bob, 0, secret);
	oldest = access_start_session(f.access, ann, 0, first);
	for (int i = 1; i < 100; i++) {
		session = access_start_session(f.access, ann, 0, secret);
		assert_non_null(session);
		principal_drop(session);
	}
	assert_null(principal_over(oldest, 0));
	assert_true(atomic_load(access_changes(f.access)) == 0);
	session = access_start_session(f.access, ann, 0, secret);
	assert_string_equal(
		principal_over(oldest, 0), "newer sessions of the same token replaced this one");
	assert_true(atomic_load(access_changes(f.access)) == 1);
	assert_null(of_session(&f, first, 0));
	assert_null(principal_over(session, 0));
	assert_null(principal_over(of_bob, 0));
	principal_drop(session);
	principal_drop(oldest);
	principal_drop(of_bob);
	principal_drop(ann);
	principal_drop(bob);
	access_free(f.access);
}

/* --- tickets --- */

static void a_ticket_is_good_once_for_what_it_was_made_for(void **state)
{
	struct principal *ann, *found;
	struct fixture f;
	char secret[TOKEN_TEXT];

	(void)state;
	set_up(&f, "ann %");
	ann = must_ask(&f, "ann");
	assert_int_equal(access_new_ticket(f.access, ann, "here", 1000, secret), 0);
	found = of_ticket(&f, secret, "here", 1000 + ACCESS_TICKET_MS - 1);
	assert_ptr_equal(found, ann);
	assert_null(of_ticket(&f, secret, "here", 1000));
	/* Too late. */
	assert_int_equal(access_new_ticket(f.access, ann, "here", 1000, secret), 0);
	assert_null(of_ticket(&f, secret, "here", 1000 + ACCESS_TICKET_MS));
	/* Who tries it elsewhere has used it up. */
	assert_int_equal(access_new_ticket(f.access, ann, "here", 1000, secret), 0);
	assert_null(of_ticket(&f, secret, "her", 1000));
	assert_null(of_ticket(&f, secret, "here", 1000));
	/* It is no session. */
	assert_int_equal(access_new_ticket(f.access, ann, "here", 1000, secret), 0);
	assert_null(of_session(&f, secret, 1000));
	principal_drop(found);
	principal_drop(ann);
	access_free(f.access);
}

static void a_ticket_is_of_no_use_after_who_got_it(void **state)
{
	struct principal *ann, *session;
	struct fixture f;
	char secret[TOKEN_TEXT], ticket[TOKEN_TEXT];

	(void)state;
	set_up(&f, "ann %");
	ann = must_ask(&f, "ann");
	session = access_start_session(f.access, ann, 0, secret);
	assert_int_equal(access_new_ticket(f.access, session, "", 0, ticket), 0);
	access_end_session(f.access, secret, strlen(secret));
	assert_null(of_ticket(&f, ticket, "", 0));
	assert_int_equal(access_new_ticket(f.access, ann, "", 0, ticket), 0);
	reload(&f, "");
	assert_null(of_ticket(&f, ticket, "", 0));
	principal_drop(session);
	principal_drop(ann);
	access_free(f.access);
}

/* --- from several threads --- */

#define ASKERS 3
#define ROUNDS 300

struct asker {
	struct fixture *f;
	const char *token;
	unsigned asked; /* tokens that were good */
};

/* Whoever was found is whole, and not one of another file. */
static void use(struct fixture *f, struct principal *principal)
{
	char secret[TOKEN_TEXT], ticket[TOKEN_TEXT];
	struct principal *session = access_start_session(f->access, principal, 0, secret), *found;

	if (strcmp(principal->as, "Ann") != 0 || session == NULL)
		abort();
	(void)access_new_ticket(f->access, session, "x", 0, ticket);
	found = access_of_ticket(f->access, ticket, strlen(ticket), "x", 0);
	principal_drop(found);
	found = access_of_session(f->access, secret, strlen(secret), 0);
	if (found != NULL && found != session)
		abort();
	principal_drop(found);
	(void)principal_over(session, 0);
	access_end_session(f->access, secret, strlen(secret));
	if (principal_over(session, 0) == NULL)
		abort();
	principal_drop(session);
}

static void *run_asker(void *context)
{
	struct asker *asker = context;

	for (unsigned i = 0; i < ROUNDS || asker->asked == 0; i++) {
		struct principal *principal = NULL, *everyone = access_everyone(asker->f->access);
		const char *fault;

		principal_drop(everyone);
		(void)access_proves_name(asker->f->access, "Ann");
		if (access_of_token(asker->f->access, asker->token, 3, 0, &principal, &fault) !=
			ACCESS_OK)
			continue;
		asker->asked++;
		use(asker->f, principal);
		principal_drop(principal);
	}
	return NULL;
}

static void several_threads_ask_while_another_reloads(void **state)
{
	static const char *const forms[] = {"ann % read=a as=Ann\nann % as=Ann\n",
		"ann % read=b as=Ann\nanonymous read=c\n", "# %\nann % as=Ann\n",
		"ann % read=a as=Ann\n"};
	struct asker askers[ASKERS];
	pthread_t threads[ASKERS];
	struct fixture f;

	(void)state;
	set_up(&f, forms[0]);
	for (unsigned i = 0; i < ASKERS; i++) {
		askers[i] = (struct asker){.f = &f, .token = i % 2 == 0 ? "ann" : "bob"};
		assert_int_equal(pthread_create(&threads[i], NULL, run_asker, &askers[i]), 0);
	}
	for (unsigned i = 0; i <= 200; i++)
		reload(&f, forms[i % 4]);
	for (unsigned i = 0; i < ASKERS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	access_free(f.access);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_token_proves_whose_line_has_its_digest),
		cmocka_unit_test(figures_can_be_for_everyone),
		cmocka_unit_test(a_faulty_file_starts_nothing),
		cmocka_unit_test(a_faulty_file_leaves_the_old_rules),
		cmocka_unit_test(a_token_is_replaced_without_a_gap),
		cmocka_unit_test(a_session_is_whose_token_began_it),
		cmocka_unit_test(a_session_that_is_ended_ends_its_streams),
		cmocka_unit_test(a_session_ends_with_the_line_of_its_token),
		cmocka_unit_test(newer_sessions_of_a_token_take_the_place_of_the_oldest),
		cmocka_unit_test(a_ticket_is_good_once_for_what_it_was_made_for),
		cmocka_unit_test(a_ticket_is_of_no_use_after_who_got_it),
		cmocka_unit_test(several_threads_ask_while_another_reloads),
	};

	return cmocka_run_group_tests(tests, scratch_set_up, scratch_tear_down);
}
