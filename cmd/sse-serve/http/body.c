/* SPDX-License-Identifier: MIT */
/* The body of a request, and its limits; see body.h. */
#include "body.h"
#include "body_length.h"
#include "request.h"
#include "request_internal.h"

void body_expect(struct request *request, const struct body_length *length)
{
	if (!body_length_read(length, &request->announced))
		request->refused = 400;
	else if (request->announced > request->body.cap)
		request->refused = 413;
}

bool body_hold(struct request *request, size_t len)
{
	if ((int64_t)len > request->held && !request_hold(request, len - (size_t)request->held))
		request->refused = 503;
	return request->refused == 0;
}

void body_take(struct request *request, const char *data, size_t len)
{
	if (request->response != NULL || request->refused != 0)
		return;
	if (len > request->body.cap - request->body.len)
		request->refused = 413;
	else if (body_hold(request, request->body.len + len) && !buf_add(&request->body, data, len))
		request_problem(request, 503, "out of memory for the body; try again later");
	else
		request->received = request->body.len;
}
