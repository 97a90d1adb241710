/* SPDX-License-Identifier: MIT */
/* Tests of cmd/sse-tail/filter.c: which events are shown, what of them, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include <cmocka.h>

#include "filter.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define LIST(...)                                                                                  \
	{                                                                                          \
		(const char *[]){__VA_ARGS__}, COUNT(((const char *[]){__VA_ARGS__}))              \
	}

/* An event and what becomes of it. */
struct row {
	const char *type, *data;
	enum filter_result result;
	const char *want; /* what is shown, or the error's words; NULL: the data */
};

static struct sse_text text_of(const char *text)
{
	return (struct sse_text){text, strlen(text)};
}

static void assert_row(struct filter *filter, const struct row *row)
{
	struct sse_event event = {.type = text_of(row->type), .data = text_of(row->data)}, wanted;
	const char *want = row->want != NULL ? row->want : row->data;
	struct error error = {0};
	enum filter_result result = filter_event(filter, &event, &wanted, &error);

	if (result != row->result)
		fail_msg("%s '%s' gives %d", row->type, row->data, result);
	if ((result == FILTER_SHOW || result == FILTER_LAST) && (wanted.data.len != strlen(want) ||
					     memcmp(wanted.data.data, want, wanted.data.len) != 0))
		fail_msg("%s '%s' gives '%.*s'", row->type, row->data, (int)wanted.data.len,
			wanted.data.data);
	if (result == FILTER_ERROR && strcmp(error.text, want) != 0)
		fail_msg("%s '%s' gives '%s'", row->type, row->data, error.text);
	if (result == FILTER_ERROR)
		assert_int_equal(error.status, EX_UNAVAILABLE);
	else
		assert_int_equal(error.status, 0);
}

static void assert_rows(const struct filter_options *options, const struct row *rows, size_t count)
{
	struct error error = {0};
	struct filter filter;

	assert_int_equal(filter_open(&filter, options, &error), 0);
	for (size_t i = 0; i < count; i++)
		assert_row(&filter, &rows[i]);
	filter_close(&filter);
}

/* --- types ------------------------------------------------------------------------------------ */

static void everything_is_shown_without_a_word(void **state)
{
	const struct filter_options options = {.preset = -1};
	static const struct row rows[] = {{"message", "x", FILTER_SHOW, NULL},
		{"a", "", FILTER_SHOW, NULL}, {"a", "[DONE]", FILTER_SHOW, NULL}};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void globs_choose_types_and_not_event_outranks_event(void **state)
{
	const struct filter_options options = {.preset = -1,
		.events = LIST("user.*", "[jk]ob", "a?c", "\\*"),
		.not_events = LIST("*.gone", "job")};
	static const struct row rows[] = {
		{"user.new", "", FILTER_SHOW, NULL},
		{"user.", "", FILTER_SHOW, NULL},
		{"user.a/b", "", FILTER_SHOW, NULL},
		{"user.gone", "", FILTER_SKIP, NULL},
		{"user", "", FILTER_SKIP, NULL},
		{"User.new", "", FILTER_SKIP, NULL},
		{"job", "", FILTER_SKIP, NULL},
		{"kob", "", FILTER_SHOW, NULL},
		{"abc", "", FILTER_SHOW, NULL},
		{"ac", "", FILTER_SKIP, NULL},
		{"*", "", FILTER_SHOW, NULL},
		{"x", "", FILTER_SKIP, NULL},
		{"message", "", FILTER_SKIP, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void only_not_event_shows_the_others(void **state)
{
	const struct filter_options options = {.preset = -1, .not_events = LIST("ping", "_*")};
	static const struct row rows[] = {{"ping", "", FILTER_SKIP, NULL},
		{"_x", "", FILTER_SKIP, NULL}, {"message", "", FILTER_SHOW, NULL}};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void a_nul_in_a_type_does_not_end_it(void **state)
{
	const struct filter_options options = {.preset = -1, .events = LIST("ab")};
	const struct filter_options any = {.preset = -1, .events = LIST("ab*")};
	struct sse_event event = {.type = {"ab\0c", 4}, .data = {"", 0}}, wanted;
	struct error error = {0};
	struct filter filter;

	(void)state;
	assert_int_equal(filter_open(&filter, &options, &error), 0);
	assert_int_equal(filter_event(&filter, &event, &wanted, &error), FILTER_SKIP);
	assert_false(filter_wants(&filter, event.type));
	filter_close(&filter);
	assert_int_equal(filter_open(&filter, &any, &error), 0);
	assert_int_equal(filter_event(&filter, &event, &wanted, &error), FILTER_SHOW);
	assert_int_equal(wanted.type.len, 4);
	filter_close(&filter);
}

/* --- pointers --------------------------------------------------------------------------------- */

static void a_pointer_shows_one_value_of_the_events_that_have_it(void **state)
{
	const struct filter_options options = {.preset = -1, .pointers = LIST("/a/0")};
	static const struct row rows[] = {
		{"message", "{\"a\":[\"x\\ny\\u00e9\"]}", FILTER_SHOW, "x\ny\xc3\xa9"},
		{"message", "{\"a\":[1.500e3]}", FILTER_SHOW, "1.500e3"},
		{"message", "{\"a\":[ { \"b\" : [ ] } ]}", FILTER_SHOW, "{\"b\":[]}"},
		{"message", "{\"a\":[false]}", FILTER_SHOW, "false"},
		{"message", "{\"a\":[\"\"]}", FILTER_SHOW, ""},
		{"message", "{\"a\":[null]}", FILTER_SKIP, NULL},
		{"message", "{\"a\":[]}", FILTER_SKIP, NULL},
		{"message", "{\"b\":1}", FILTER_SKIP, NULL},
		{"message", "not JSON", FILTER_SKIP, NULL},
		{"message", "", FILTER_SKIP, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void a_pointer_may_be_for_one_type_and_the_first_that_finds_something_counts(void **state)
{
	const struct filter_options options = {
		.preset = -1, .pointers = LIST("a.*:/x", "b:/y", "/z", "e:f:/x", "whole:")};
	static const struct row rows[] = {
		{"a.1", "{\"x\":1,\"z\":3}", FILTER_SHOW, "1"},
		{"a.1", "{\"z\":3}", FILTER_SHOW, "3"},
		{"b", "{\"x\":1,\"y\":2}", FILTER_SHOW, "2"},
		{"b", "{\"x\":1}", FILTER_SKIP, NULL},
		{"e:f", "{\"x\":5}", FILTER_SHOW, "5"},
	};
	struct error error = {0};
	struct filter filter;

	(void)state;
	/* A type with nothing behind it is no pointer. */
	assert_int_equal(filter_open(&filter, &options, &error), -1);
	assert_int_equal(error.status, EX_USAGE);
	assert_non_null(strstr(error.text, "'whole:'"));
	filter_close(&filter);
	{
		struct filter_options four = options;

		four.pointers.count = 4;
		assert_rows(&four, rows, COUNT(rows));
	}
}

static void an_empty_pointer_is_the_whole_value(void **state)
{
	const struct filter_options options = {.preset = -1, .pointers = LIST("")};
	static const struct row rows[] = {
		{"message", " {\"a\": 1.0 } ", FILTER_SHOW, "{\"a\":1.0}"},
		{"message", "\"text\"", FILTER_SHOW, "text"}, {"message", "x", FILTER_SKIP, NULL}};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void what_is_no_pointer_is_named(void **state)
{
	static const char *const wrong[] = {"a", "a/b", "x:y", "/~", "x:/~2", "#/a"};

	(void)state;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		const char *pointers[] = {"/good", wrong[i]};
		const struct filter_options options = {.preset = -1, .pointers = {pointers, 2}};
		struct error error = {0};
		struct filter filter;

		assert_int_equal(filter_open(&filter, &options, &error), -1);
		assert_int_equal(error.status, EX_USAGE);
		if (strstr(error.text, wrong[i]) == NULL)
			fail_msg("'%s' gives '%s'", wrong[i], error.text);
		filter_close(&filter);
	}
}

/* --- the end ---------------------------------------------------------------------------------- */

static void done_ends_it_whatever_is_filtered(void **state)
{
	const struct filter_options options = {.preset = -1,
		.events = LIST("text"),
		.pointers = LIST("/a"),
		.done = LIST("[DONE]", "bye"),
		.done_events = LIST("end.*")};
	static const struct row rows[] = {
		{"text", "{\"a\":1}", FILTER_SHOW, "1"},
		{"text", "[DONE]", FILTER_DONE, NULL},
		{"other", "bye", FILTER_DONE, NULL},
		{"text", "[DONE] ", FILTER_SKIP, NULL},
		{"text", "[DONE", FILTER_SKIP, NULL},
		{"end.now", "", FILTER_DONE, NULL},
		{"end", "", FILTER_SKIP, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

/* --- presets ---------------------------------------------------------------------------------- */

static int preset(const char *name)
{
	for (int i = 0; filter_presets[i].name != NULL; i++) {
		if (strcmp(filter_presets[i].name, name) == 0)
			return i;
	}
	fail_msg("there is no preset %s", name);
	return -1;
}

static void openai_has_chat_completions_and_responses(void **state)
{
	const struct filter_options options = {.preset = preset("openai")};
	static const struct row rows[] = {
		{"message", "{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
			FILTER_SHOW, ""},
		{"message", "{\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}", FILTER_SHOW, "Hi"},
		{"message", "{\"choices\":[{\"delta\":{\"content\":null}}]}", FILTER_SKIP, NULL},
		{"message", "{\"choices\":[],\"usage\":{\"total_tokens\":3}}", FILTER_SKIP, NULL},
		{"message", "[DONE]", FILTER_DONE, NULL},
		{"message", "{\"error\":{\"message\":\"no such model\"}}", FILTER_ERROR,
			"the service failed: no such model"},
		{"message", "{\"error\":\"plain words\"}", FILTER_ERROR,
			"the service failed: plain words"},
		{"error", "{\"type\":\"error\",\"message\":\"overloaded\"}", FILTER_ERROR,
			"the service failed: overloaded"},
		{"response.output_text.delta", "{\"delta\":\"Hello\"}", FILTER_SHOW, "Hello"},
		{"response.created", "{\"response\":{\"error\":null}}", FILTER_SKIP, NULL},
		{"response.failed", "{\"response\":{\"error\":{\"message\":\"broke\"}}}",
			FILTER_ERROR, "the service failed: broke"},
		{"response.completed", "{}", FILTER_DONE, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void anthropic_has_blocks_and_its_own_end(void **state)
{
	const struct filter_options options = {.preset = preset("anthropic")};
	static const struct row rows[] = {
		{"message_start", "{\"type\":\"message_start\",\"message\":{}}", FILTER_SKIP, NULL},
		{"ping", "{\"type\":\"ping\"}", FILTER_SKIP, NULL},
		{"content_block_delta", "{\"delta\":{\"type\":\"text_delta\",\"text\":\"Hi\"}}",
			FILTER_SHOW, "Hi"},
		{"content_block_delta", "{\"delta\":{\"type\":\"input_json_delta\"}}", FILTER_SKIP,
			NULL},
		{"error", "{\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}",
			FILTER_ERROR, "the service failed: Overloaded"},
		{"error", "{\"other\":1}", FILTER_ERROR, "the service failed: {\"other\":1}"},
		{"message_stop", "{\"type\":\"message_stop\"}", FILTER_DONE, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

static void ollama_has_lines_and_the_last_one_may_have_text(void **state)
{
	const struct filter_options options = {.preset = preset("ollama")};
	const struct filter_options own = {
		.preset = preset("ollama"), .pointers = LIST("/message/thinking")};
	static const struct row rows[] = {
		{"message", "{\"message\":{\"content\":\"Hi\"},\"done\":false}", FILTER_SHOW, "Hi"},
		{"message", "{\"message\":{\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}",
			FILTER_SHOW, ""},
		{"message", "{\"response\":\"Ho\",\"done\":false}", FILTER_SHOW, "Ho"},
		{"message", "{\"status\":\"pulling\"}", FILTER_SKIP, NULL},
		{"message", "text", FILTER_SKIP, NULL},
		{"message", "{\"done\":\"true\"}", FILTER_SKIP, NULL},
		{"message", "{\"message\":{\"content\":\"!\"},\"done\":true}", FILTER_LAST, "!"},
		{"message", "{\"response\":\"\",\"done\":true}", FILTER_LAST, ""},
		{"message", "{\"done\":true,\"done_reason\":\"load\"}", FILTER_DONE, NULL},
		{"message", "{\"error\":\"no memory\"}", FILTER_ERROR,
			"the service failed: no memory"},
	};
	static const struct row rows_of_own[] = {
		{"message", "{\"message\":{\"content\":\"\",\"thinking\":\"hm\"}}", FILTER_SHOW, "hm"},
		{"message", "{\"message\":{\"content\":\"Hi\"}}", FILTER_SHOW, "Hi"},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
	assert_rows(&own, rows_of_own, COUNT(rows_of_own));
}

static void a_pointer_of_the_users_own_comes_before_the_presets(void **state)
{
	const struct filter_options options = {.preset = preset("anthropic"),
		.pointers = LIST("/delta/thinking"),
		.done = LIST("x")};
	static const struct row rows[] = {
		{"content_block_delta", "{\"delta\":{\"thinking\":\"hm\"}}", FILTER_SHOW, "hm"},
		{"content_block_delta", "{\"delta\":{\"text\":\"Hi\"}}", FILTER_SHOW, "Hi"},
		{"message", "x", FILTER_DONE, NULL},
		{"message_stop", "{}", FILTER_DONE, NULL},
	};

	(void)state;
	assert_rows(&options, rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_shown_without_a_word),
		cmocka_unit_test(globs_choose_types_and_not_event_outranks_event),
		cmocka_unit_test(only_not_event_shows_the_others),
		cmocka_unit_test(a_nul_in_a_type_does_not_end_it),
		cmocka_unit_test(a_pointer_shows_one_value_of_the_events_that_have_it),
		cmocka_unit_test(
			a_pointer_may_be_for_one_type_and_the_first_that_finds_something_counts),
		cmocka_unit_test(an_empty_pointer_is_the_whole_value),
		cmocka_unit_test(what_is_no_pointer_is_named),
		cmocka_unit_test(done_ends_it_whatever_is_filtered),
		cmocka_unit_test(openai_has_chat_completions_and_responses),
		cmocka_unit_test(anthropic_has_blocks_and_its_own_end),
		cmocka_unit_test(ollama_has_lines_and_the_last_one_may_have_text),
		cmocka_unit_test(a_pointer_of_the_users_own_comes_before_the_presets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
