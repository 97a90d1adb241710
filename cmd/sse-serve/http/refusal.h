/* SPDX-License-Identifier: MIT */
/*
 * Answers that the server writes by hand, because the library would answer too late or not at all.
 * They end the connection.
 */
#ifndef REFUSAL_H
#define REFUSAL_H

struct request;

/*
 * refusal_of_body(request):
 * The body is refused, with the status in request->refused: answer now, since the library answers
 * only after it has read all of it.  Takes the socket, so the library has to end the request.
 */
void refusal_of_body(struct request *request);

/*
 * refusal_of_target(request):
 * The library has no memory for so many, or so long, parameters of the target, and would not answer
 * at all.  So answer 414 and end our side of the connection, which the library then notices.
 */
void refusal_of_target(struct request *request);

#endif
