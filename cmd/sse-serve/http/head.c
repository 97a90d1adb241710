/* SPDX-License-Identifier: MIT */
/* The head of an answer; see head.h. */
#include <stdio.h>

#include "head.h"

size_t head_write(const struct head *head, char *out, size_t size)
{
	bool cors = head->cors != NULL;
	struct tm utc;
	char date[40], hsts[80] = "";
	int len;

	gmtime_r(&head->date, &utc);
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &utc);
	if (head->hsts > 0)
		snprintf(hsts, sizeof(hsts), "Strict-Transport-Security: " HEAD_HSTS "\r\n",
			(long long)head->hsts);
	len = snprintf(out, size,
		"HTTP/1.1 %u %s\r\nDate: %s\r\n%s%s%s"
		"X-Content-Type-Options: nosniff\r\n%s%s%sConnection: close\r\n%s%s%s%s%s%s%s\r\n",
		head->status, head->reason, date, head->type != NULL ? "Content-Type: " : "",
		head->type != NULL ? head->type : "", head->type != NULL ? "\r\n" : "",
		head->id != NULL ? "X-Request-ID: " : "", head->id != NULL ? head->id : "",
		head->id != NULL ? "\r\n" : "", hsts, head->vary ? "Vary: Origin\r\n" : "",
		cors ? "Access-Control-Allow-Origin: " : "", cors ? head->cors : "",
		cors ? "\r\nAccess-Control-Expose-Headers: " HEAD_EXPOSED "\r\n" : "",
		cors && head->credentials ? "Access-Control-Allow-Credentials: true\r\n" : "",
		head->more);
	return len > 0 && (size_t)len < size ? (size_t)len : 0;
}
