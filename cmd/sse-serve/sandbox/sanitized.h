/* SPDX-License-Identifier: MIT */
/*
 * SANITIZED is defined in a build with AddressSanitizer or ThreadSanitizer.  Such a build is for
 * tests; its sandbox allows what the sanitizer needs to find leaks and to write reports.
 */
#ifndef SANITIZED_H
#define SANITIZED_H

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#endif
